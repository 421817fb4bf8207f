import { Campaign } from './campaign.ts';
import type { HuntInThreadsOptions, HuntInThreadsResult } from './campaign.ts';
import { HuntThread } from './hunt-thread.ts';

/** Tries drawn scenarios on several threads until the time is up, then makes small what broke a law. */
export async function huntInThreads(options: HuntInThreadsOptions): Promise<HuntInThreadsResult> {
  const { clock, signal, workers = 1 } = options;
  const campaign = new Campaign(options);
  const threads = Array.from({ length: workers }, () => new HuntThread(clock));
  const abort = (): void => {
    for (const thread of threads) void thread.end();
  };
  signal?.addEventListener('abort', abort);
  try {
    await Promise.all(threads.map((thread) => campaign.trySeeds(thread)));
    await Promise.all(threads.map((thread) => campaign.makeSmall(thread)));
  } finally {
    signal?.removeEventListener('abort', abort);
    await Promise.all(threads.map((thread) => thread.end()));
  }
  return campaign.result();
}
