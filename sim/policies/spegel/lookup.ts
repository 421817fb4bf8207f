import type { SimRandom } from '../../kernel/random.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Party } from '../../network/party.ts';
import type { ProviderRecords } from './provider-records.ts';
import { resolveRetries } from './spegel-release.ts';
import { drawWorkUs } from './work-time.ts';

export interface LookupDeps {
  readonly kernel: Kernel;
  readonly records: ProviderRecords;
  readonly self: Party;
  readonly random: SimRandom;
  readonly roundTripUs: number;
}

/** Providers of one answer are handed over one by one, each so much later at most: who waits for the first may be gone with it before the second. */
const handOverUs = 60;
/** go-libp2p-kad-dht waits so long for a member's answer. */
const answerTimeoutUs = 10_000_000;

/** `FindProvidersAsync`: the own provider store, then the members nearest to the key, until there are enough. Calls back for each, and once at the end. Returns what ends it. */
export function findProviders(
  { kernel, records, self, random, roundTripUs }: LookupDeps,
  text: string,
  onFound: (peer: Party) => void,
  onEnd: () => void,
): () => void {
  const { life } = self;
  const key = records.keyOf(text);
  const found = new Set<Party>();
  const state = { isOver: false };
  const end = (): void => {
    if (state.isOver) return;
    state.isOver = true;
    onEnd();
  };
  const handOver = (peers: readonly Party[], then: () => void): void => {
    // Go's maps have no order.
    const rest = peers.filter((peer) => !found.has(peer));
    const next = (): void => {
      if (state.isOver) return;
      if (found.size >= resolveRetries) {
        end();
        return;
      }
      const [peer] = rest.splice(random.below(Math.max(1, rest.length)), 1);
      if (peer === undefined) {
        then();
        return;
      }
      found.add(peer);
      if (peer !== self) onFound(peer);
      life.schedule(random.below(handOverUs), next);
    };
    next();
  };
  const askOthers = (): void => {
    const { firstUs, hops, lastUs } = records.askKeepers(key, self);
    let tookUs = firstUs;
    for (let hop = 0; hop < hops; hop += 1) tookUs += roundTripUs + drawWorkUs(random, self.host);
    life.schedule(tookUs, () => {
      handOver(records.elsewhere(key, self), () => {
        life.schedule(records.isHeldUp(key) ? answerTimeoutUs : lastUs - firstUs, end);
      });
    });
  };
  kernel.schedule(0, () => {
    life.run(() => {
      handOver(records.atHome(key, self), askOthers);
    });
  });
  return end;
}
