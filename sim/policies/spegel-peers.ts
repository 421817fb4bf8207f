import type { Life } from '../kernel/life.ts';
import type { Party } from '../network/party.ts';
import type { SimRandom } from '../kernel/random.ts';

/** From new content to its provider records at the members nearest to it: gathered, sealed, sent. Measured as the time until another node finds it (row J of v0.4). */
const provideUs = 70_000;
/** A lookup in the DHT: two round trips and what the members take (rows Q and S). */
const lookupUs = 1_200;
/** What was looked up is not looked up again for half of the cache's five seconds (`routing/p2p.go`). */
const refreshUs = 2_500_000;
/** So many peers are looked for (`--mirror-resolve-retries`). */
const peersMax = 3;

/** Who provides what in a cluster of Spegel nodes. Records of nodes that are gone stay: their time is a day. */
export class SpegelProviders {
  readonly #providers = new Map<string, Map<Party, number>>();

  provide(key: string, party: Party, nowUs: number): void {
    const known = this.#providers.get(key) ?? new Map<Party, number>();
    this.#providers.set(key, known);
    if (!known.has(party)) known.set(party, nowUs + provideUs);
  }

  withdraw(key: string, party: Party): void {
    this.#providers.get(key)?.delete(party);
  }

  find(key: string, asker: Party, nowUs: number): Party[] {
    const known = this.#providers.get(key) ?? new Map<Party, number>();
    return [...known].flatMap(([party, sinceUs]) => (party !== asker && sinceUs <= nowUs ? [party] : []));
  }
}

/** The peers of one key as one node knows them: shared by all its requests, and each taken by one request at a time until it has answered. */
export interface SpegelPeers {
  readonly peers: Party[];
  readonly taken: Set<Party>;
  readonly usage: Map<Party, number>;
  isLooking: boolean;
  updatedUs: number;
  /** Called after every change. */
  readonly watchers: Set<() => void>;
}

/** Lookups of one node, remembered. */
export class SpegelLookups {
  readonly #cache = new Map<string, SpegelPeers>();
  readonly #providers: SpegelProviders;
  readonly #self: Party;
  readonly #random: SimRandom;

  constructor(providers: SpegelProviders, self: Party, random: SimRandom) {
    this.#providers = providers;
    this.#self = self;
    this.#random = random;
  }

  /** `isCaching`: "nobody" is remembered, as from v0.6 on. */
  look(key: string, life: Life, nowUs: () => number, isCaching: boolean): SpegelPeers {
    const known = isCaching ? this.#cache.get(key) : undefined;
    const isFresh = known !== undefined && (nowUs() - known.updatedUs < refreshUs || known.peers.length >= peersMax);
    if (isFresh) return known;
    const peers: SpegelPeers = known ?? {
      peers: [],
      taken: new Set(),
      usage: new Map(),
      isLooking: false,
      updatedUs: nowUs(),
      watchers: new Set(),
    };
    this.#cache.set(key, peers);
    if (peers.isLooking) return peers;
    peers.isLooking = true;
    peers.updatedUs = nowUs();
    life.schedule(lookupUs, () => {
      const found = this.#providers.find(key, this.#self, nowUs());
      while (found.length > 0 && peers.peers.length < peersMax) {
        const [party] = found.splice(this.#random.below(found.length), 1);
        if (party !== undefined && !peers.peers.includes(party)) peers.peers.push(party);
      }
      peers.isLooking = false;
      changed(peers);
    });
    return peers;
  }
}

/** Takes the least used peer that nobody has taken. */
export function acquire(peers: SpegelPeers): Party | undefined {
  const free = peers.peers.filter((party) => !peers.taken.has(party));
  const uses = (party: Party): number => peers.usage.get(party) ?? 0;
  const [first, ...more] = free;
  if (first === undefined) return undefined;
  const peer = more.reduce((least, party) => (uses(party) < uses(least) ? party : least), first);
  peers.taken.add(peer);
  peers.usage.set(peer, uses(peer) + 1);
  return peer;
}

export function release(peers: SpegelPeers, peer: Party): void {
  peers.taken.delete(peer);
  changed(peers);
}

export function remove(peers: SpegelPeers, peer: Party): void {
  const at = peers.peers.indexOf(peer);
  if (at >= 0) peers.peers.splice(at, 1);
  peers.usage.delete(peer);
  release(peers, peer);
}

function changed(peers: SpegelPeers): void {
  for (const watcher of [...peers.watchers]) watcher();
}
