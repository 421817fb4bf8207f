import { onAbort } from '../../../core/index.ts';
import type { DistributionResponse, RequestText } from '../../../core/index.ts';
import type { AskedFor } from '../../containerd/serve-content.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Life } from '../../kernel/life.ts';
import type { SimRandom } from '../../kernel/random.ts';
import type { ExchangeAnswer } from '../../network/exchange.ts';
import type { Party } from '../../network/party.ts';
import type { LookupDeps } from './lookup.ts';

/** What a forwarding of one release works with. */
export interface ForwardDeps {
  readonly kernel: Kernel;
  readonly life: Life;
  readonly random: SimRandom;
  readonly lookup: LookupDeps;
  /** Marked, so that it is not forwarded again. */
  readonly ask: (peer: Party, request: RequestText, signal: AbortSignal) => Promise<ExchangeAnswer>;
}

/** Asks peers for what this node has not. 404: none of them gave it. */
export type Forward = (asked: AskedFor, request: RequestText, signal: AbortSignal) => Promise<DistributionResponse>;

/** HEADs and manifests are bounded in time, bodies of blobs are not. */
export function isSmall({ kind }: AskedFor, { method }: RequestText): boolean {
  return method === 'HEAD' || kind === 'manifests';
}

export function keyTextOf({ isDigest, reference, registry, repository }: AskedFor): string {
  return isDigest ? reference : `${registry ?? ''}/${repository}:${reference}`;
}

/** Asks within a time; undefined: no answer with content. Infinity: no bound. */
export async function askWithin(
  { ask, life }: Pick<ForwardDeps, 'ask' | 'life'>,
  boundUs: number,
  peer: Party,
  request: RequestText,
  signal: AbortSignal,
): Promise<ExchangeAnswer | undefined> {
  const bounded = new AbortController();
  const unhook = onAbort(signal, () => {
    bounded.abort(signal.reason);
  });
  const timer =
    boundUs === Infinity
      ? undefined
      : life.schedule(boundUs, () => {
          bounded.abort();
        });
  try {
    const answer = await ask(peer, request, bounded.signal);
    if (answer.status < 300) return answer;
    await answer.body?.return();
    return undefined;
  } catch {
    return undefined;
  } finally {
    timer?.cancel();
    // A body is ended by who reads it.
    unhook();
  }
}
