import { createAdvertiser } from '../advertising/advertiser.ts';
import type { Advertiser, AdvertiserOptions } from '../advertising/advertiser.ts';
import { limitsWith } from '../limits.ts';
import type { Limits } from '../limits.ts';
import { silentObserver } from '../ports/index.ts';
import type { Holder, LookupOutcome, NodeEvent } from '../ports/index.ts';
import { createRouter } from '../routing/router.ts';
import type { Router } from '../routing/router.ts';
import { createListedStore } from './listed-store.ts';
import type { ListedStore } from './listed-store.ts';
import type { MemoryPorts } from './memory-cluster.ts';
import { createSeededRandom } from './seeded-random.ts';
import { createSha256Digester } from './sha256-digester.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** The routing half of a node over memory ports: a store, a router, an advertiser. */
export interface RoutingNode {
  readonly id: string;
  readonly store: ListedStore;
  readonly router: Router;
  readonly advertiser: Advertiser;
  readonly events: readonly NodeEvent[];
  dispose(): void;
}

export interface RoutingNodeOptions extends Partial<
  Pick<AdvertiserOptions, 'advertises' | 'allowsContent' | 'allowsTag' | 'tagMaxAgeUs'>
> {
  /** Outlives a restart of its node. */
  readonly store?: ListedStore;
  readonly limits?: Partial<Limits>;
  readonly freeSlots?: number;
}

export function startRoutingNode(
  clock: VirtualClock,
  { membership, records }: MemoryPorts,
  { store = createListedStore(), limits: changes = {}, freeSlots, ...filter }: RoutingNodeOptions = {},
): RoutingNode {
  const limits = limitsWith(changes);
  const events: NodeEvent[] = [];
  const observer = { ...silentObserver, onNode: (event: NodeEvent) => void events.push(event) };
  const { id } = membership.self;
  const random = createSeededRandom(1).fork(id);
  const digester = createSha256Digester();
  const deps = { clock, membership, records, digester, random, observer };
  const router = createRouter(deps, { limits, ...(freeSlots === undefined ? {} : { freeSlots: () => freeSlots }) });
  const advertiser = createAdvertiser(
    { ...deps, store, router },
    {
      limits,
      allowsContent: () => true,
      allowsTag: () => true,
      tagMaxAgeUs: undefined,
      freeSlots: () => freeSlots ?? 256,
      ...filter,
    },
  );
  advertiser.start();
  const dispose = (): void => {
    advertiser.dispose();
    router.dispose();
  };
  return { id, store, router, advertiser, events, dispose };
}

export interface Found {
  readonly outcome: LookupOutcome;
  readonly holders: readonly Holder[];
  readonly ids: readonly string[];
  readonly tookUs: number;
  /** Until the first holder; undefined without one. */
  readonly firstUs: number | undefined;
}

const stepUs = 500;

/** One lookup to its end. */
export async function findFrom(clock: VirtualClock, node: RoutingNode, key: string): Promise<Found> {
  const startUs = clock.nowUs();
  const holders: Holder[] = [];
  let firstUs: number | undefined;
  const onHolders = (found: readonly Holder[]): void => {
    firstUs ??= clock.nowUs() - startUs;
    holders.push(...found);
  };
  let outcome: LookupOutcome | undefined;
  const lookup = node.router.lookup(key, onHolders, new AbortController().signal).then((ended) => {
    outcome = ended;
  });
  // In small steps, so that time stands where the lookup ended.
  for (let waitUs = 0; outcome === undefined; waitUs = stepUs) await clock.advance(waitUs);
  await lookup;
  const ids = holders.map(({ member }) => member.id).sort();
  return { outcome, holders, ids, tookUs: clock.nowUs() - startUs, firstUs };
}
