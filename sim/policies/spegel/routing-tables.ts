import type { SimRandom } from '../../kernel/random.ts';
import type { Party } from '../../network/party.ts';
import type { Seat } from '../../node/directory.ts';

/** Kademlia's k: so many members a bucket holds. */
const bucketMax = 20;
/** So many are asked at once. */
const askedAtOnce = 10;
/** What a question takes of a processor at either end, measured (go-libp2p 0.43, kad-dht 0.34: 11 ms of both ends for twenty of them). */
const questionUs = 280;
/** Beyond so many: in a cluster of four they are part of what was fitted (`work-time.ts`). */
const fitted = 3;
/** Those that it has: Go's programs use all of a machine. */
const processors = 4;

/** Whom each Spegel node's routing table names, and what questions cost: members that a bucket has no room for are found through others. */
export class RoutingTables {
  readonly #seats: () => readonly Seat[];
  readonly #random: SimRandom;
  readonly #known = new Map<Party, readonly Seat[]>();
  readonly #busyUntilUs = new Map<Party, number>();

  constructor(seats: () => readonly Seat[], random: SimRandom) {
    this.#seats = seats;
    this.#random = random;
  }

  /** Somebody has come. */
  forget(): void {
    this.#known.clear();
  }

  /** How many times others are asked, one after the other, until one of those that keep the key is. */
  hopsTo(position: Uint8Array, keepers: ReadonlySet<Party>, asker: Seat): number {
    const key = prefixOf(position);
    const nearest = this.#knownTo(asker)
      .toSorted((a, b) => distance(a, key) - distance(b, key))
      .slice(0, askedAtOnce);
    return nearest.some(({ party }) => keepers.has(party)) ? 1 : 2;
  }

  /** All of them are asked: how long the first answer is kept back by what else they have to do, and the last one. */
  ask(asker: Party, members: Iterable<Party>, nowUs: number): { readonly firstUs: number; readonly lastUs: number } {
    const others = [...members].filter((member) => member !== asker);
    const more = others.length - fitted;
    if (more <= 0) return { firstUs: 0, lastUs: 0 };
    const partUs = Math.ceil(questionUs / processors);
    const waits = others.map((member) => this.#take(member, partUs, nowUs));
    const ownUs = this.#take(asker, more * partUs, nowUs) + more * partUs;
    return { firstUs: Math.min(...waits), lastUs: Math.max(ownUs, ...waits) };
  }

  /** How long the work waits for what came before it. */
  #take(party: Party, workUs: number, nowUs: number): number {
    const beginUs = Math.max(nowUs, this.#busyUntilUs.get(party) ?? 0);
    this.#busyUntilUs.set(party, beginUs + workUs);
    return beginUs - nowUs;
  }

  #knownTo(asker: Seat): readonly Seat[] {
    const known = this.#known.get(asker.party);
    if (known !== undefined) return known;
    const own = prefixOf(asker.self.position);
    const buckets = Map.groupBy(
      this.#seats().filter((seat) => seat !== asker),
      (seat) => Math.clz32(prefixOf(seat.self.position) ^ own),
    );
    const all = [...buckets.values()].flatMap((seats) => this.#some(seats));
    this.#known.set(asker.party, all);
    return all;
  }

  /** Whoever came first stays: here it is chance. */
  #some(seats: readonly Seat[]): readonly Seat[] {
    const rest = [...seats];
    while (rest.length > bucketMax) rest.splice(this.#random.below(rest.length), 1);
    return rest;
  }
}

/** The first 32 bits tell members apart well enough. */
function prefixOf(position: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = position;
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

function distance({ self }: Seat, key: number): number {
  return (prefixOf(self.position) ^ key) >>> 0;
}
