import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../core/index.ts';
import type { CleanupWaitOptions } from './hosts-flags.ts';
import { createLogger } from './logs.ts';

export interface CleanupWaitIo {
  readonly signal: AbortSignal;
  /** Where log lines go. */
  readonly log: { write(line: string): void };
  /** Every address of a name. @default the system's resolver */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

/** One probe: a cleanup that does not answer in this time has not said that it is done. */
const probeTimeoutMs = 1000;
/** Probes under way at once. */
const probesMax = 10;

/** Waits until every address of the endpoint has said so `threshold` times in a row, and there were no others meanwhile: 0; 1 when it was stopped before. */
export async function cleanupWait(options: CleanupWaitOptions, io: CleanupWaitIo): Promise<number> {
  const { probeEndpoint, threshold, periodUs } = options;
  const { signal, resolve = resolveAll } = io;
  const logger = createLogger(options.logLevel, io.log);
  let seen = '';
  for (let inARow = 0; inARow < threshold && !signal.aborted;) {
    const beganMs = performance.now();
    try {
      const addresses = await resolve(probeEndpoint.host);
      if (addresses.length === 0) throw new Error(`${probeEndpoint.host} has no address`);
      await probeAll(addresses, probeEndpoint.port, signal);
      // Cleanups that have just been started are not all known at once.
      const now = [...addresses].sort().join(' ');
      inARow = now === seen ? inARow + 1 : 1;
      seen = now;
      logger.info({ addresses: addresses.length, inARow }, 'every cleanup says that it is done');
    } catch (error) {
      inARow = 0;
      if (!signal.aborted) logger.warn({ reason: reasonOf(error) }, 'not every cleanup is done');
    }
    if (inARow === threshold) return 0;
    const tookMs = performance.now() - beganMs;
    await sleep(Math.max(0, periodUs / 1000 - tookMs), undefined, { signal }).catch(() => undefined);
  }
  return 1;
}

async function resolveAll(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

/** Rejects at the first one that is not done. */
async function probeAll(addresses: readonly string[], port: number, signal: AbortSignal): Promise<void> {
  const waiting = [...addresses];
  const stop = new AbortController();
  const work = async (): Promise<void> => {
    for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
      await probe(address, port, AbortSignal.any([signal, stop.signal, AbortSignal.timeout(probeTimeoutMs)]));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(probesMax, addresses.length) }, work));
  } finally {
    stop.abort();
  }
}

async function probe(address: string, port: number, signal: AbortSignal): Promise<void> {
  const authority = `${isIPv6(address) ? `[${address}]` : address}:${port}`;
  try {
    const response = await fetch(`http://${authority}/readyz`, { signal, redirect: 'manual' });
    await response.body?.cancel();
    if (response.status !== 200) throw new Error(`answered ${response.status}`);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new Error(`${authority}: ${reasonOf(cause)}`, { cause: error });
  }
}
