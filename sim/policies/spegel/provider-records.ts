import { routingKeyOf } from '../../../core/index.ts';
import type { Holder, LookupAnswer, RecordBatch, RoutingKey } from '../../../core/index.ts';
import type { Party } from '../../network/party.ts';
import type { Seat } from '../../node/directory.ts';
import type { WorldParts } from '../../run/world-parts.ts';
import { RoutingTables } from './routing-tables.ts';
import { tellsOthers } from './spegel-release.ts';
import type { SpegelRelease } from './spegel-release.ts';

/** A Spegel node's router. */
export interface SpegelSeat {
  readonly seat: Seat;
  readonly release: SpegelRelease;
}

/** Kademlia's k: so many members keep a key, and are asked for it. */
const keepersMax = 20;
/** Containerd's event, its labels, and the node's own provider store: rows J of v0.4, which answers for itself alone. */
const noticeUs = 60_000;
/** And until the members nearest to the key have been found and told. */
const tellUs = 15_000;
/** How long a record outlives what was said of it: advertised every 15 min, and 2 x 2 min of grace. */
const validityUs = 19 * 60_000_000;

interface ProviderRecord {
  /** Since when the provider itself answers so. */
  readonly selfUs: number;
  /** Since when the keepers do; Infinity: they were not told. */
  toldUs: number;
  untilUs: number;
}

export interface Questions {
  readonly hops: number;
  readonly firstUs: number;
  readonly lastUs: number;
}

/** Who provides what, as the distributed hash table of a cluster of Spegel nodes has it, and of our own among them. */
export class ProviderRecords {
  readonly #parts: WorldParts;
  readonly #spegel = new Map<Party, SpegelSeat>();
  readonly #records = new Map<RoutingKey, Map<Party, ProviderRecord>>();
  readonly #keys = new Map<string, RoutingKey>();
  readonly #nearest = new Map<RoutingKey, ReadonlySet<Party>>();
  readonly #tables: RoutingTables;
  #sequence = 0;

  constructor(parts: WorldParts) {
    this.#parts = parts;
    this.#tables = new RoutingTables(() => [...parts.directory.all()], parts.random.fork('spegel-tables'));
  }

  /** A router that answers from now on. All have met before time begins. */
  join(each: SpegelSeat): void {
    const { seat } = each;
    this.#spegel.set(seat.party, each);
    this.#nearest.clear();
    this.#tables.forget();
    seat.handler = {
      onBatch: (sender, batch) => {
        this.#takeBatch(sender.id, batch);
      },
      onLookup: (_asker, key) => this.#answer(each, key),
    };
  }

  provide(text: string, party: Party): void {
    const { kernel } = this.#parts;
    const release = this.#spegel.get(party)?.release ?? '0.7';
    const key = this.keyOf(text);
    const records = this.#recordsOf(key);
    const known = records.get(party);
    const selfUs = known === undefined ? kernel.nowUs() + noticeUs : Math.min(known.selfUs, kernel.nowUs() + noticeUs);
    records.set(party, { selfUs, toldUs: tellsOthers(release) ? selfUs + tellUs : Infinity, untilUs: Infinity });
    if (tellsOthers(release) && known === undefined) this.#tellOurs(key, party);
  }

  /** It is no longer said again; nobody is told. Also of a program that has gone. */
  withdraw(text: string, party: Party): void {
    const record = this.#records.get(this.keyOf(text))?.get(party);
    if (record !== undefined) record.untilUs = Math.min(record.untilUs, this.#parts.kernel.nowUs() + validityUs);
  }

  /** Its own provider store was in its memory. */
  leave(party: Party): void {
    const untilUs = this.#parts.kernel.nowUs() + validityUs;
    for (const records of this.#records.values()) {
      const record = records.get(party);
      if (record !== undefined) record.untilUs = Math.min(record.untilUs, untilUs);
    }
  }

  /** In the asker's own provider store: what it was told, where it is a keeper. */
  atHome(key: RoutingKey, asker: Party): Party[] {
    const nowUs = this.#parts.kernel.nowUs();
    if (!this.#keepersOf(key).has(asker)) return [];
    return this.#valid(key, ({ toldUs }) => toldUs <= nowUs);
  }

  /** What the nearest members say: what they were told, and what they have themselves. */
  elsewhere(key: RoutingKey, asker: Party): Party[] {
    const nowUs = this.#parts.kernel.nowUs();
    const keepers = this.#keepersOf(key);
    const found = new Set(
      this.#valid(key, ({ selfUs, toldUs }, party) => {
        return toldUs <= nowUs || (selfUs <= nowUs && keepers.has(party) && canBeAsked(party));
      }),
    );
    for (const seat of this.#parts.directory.all()) {
      if (seat.self.kind !== 'peili' || !keepers.has(seat.party) || !canBeAsked(seat.party)) continue;
      for (const { member } of seat.handler?.onLookup(undefined, key).holders ?? []) {
        const party = this.#parts.directory.find(member.id)?.party;
        if (party !== undefined) found.add(party);
      }
    }
    found.delete(asker);
    return [...found];
  }

  /** What a lookup takes beside its round trips: how many of these there are, and how long answers are kept back. */
  askKeepers(key: RoutingKey, asker: Party): Questions {
    const keepers = this.#keepersOf(key);
    const seat = this.#spegel.get(asker)?.seat;
    const hops = seat === undefined ? 1 : this.#tables.hopsTo(this.#positionOf(key), keepers, seat);
    return { hops, ...this.#tables.ask(asker, keepers, this.#parts.kernel.nowUs()) };
  }

  /** One of those that are asked takes the question and says nothing: the lookup waits for it. */
  isHeldUp(key: RoutingKey): boolean {
    for (const { life, host } of this.#keepersOf(key))
      if (!life.isOver && (life.isPaused || !host.isPlugged)) return true;
    return false;
  }

  keyOf(text: string): RoutingKey {
    const known = this.#keys.get(text);
    if (known !== undefined) return known;
    const key = routingKeyOf(this.#parts.digester, text);
    this.#keys.set(text, key);
    return key;
  }

  #valid(key: RoutingKey, is: (record: ProviderRecord, party: Party) => boolean): Party[] {
    const nowUs = this.#parts.kernel.nowUs();
    const records = [...(this.#records.get(key) ?? [])];
    return records.flatMap(([party, record]) => (record.untilUs > nowUs && is(record, party) ? [party] : []));
  }

  #recordsOf(key: RoutingKey): Map<Party, ProviderRecord> {
    const records = this.#records.get(key) ?? new Map<Party, ProviderRecord>();
    this.#records.set(key, records);
    return records;
  }

  /** The members nearest to it, of either kind. */
  #keepersOf(key: RoutingKey): ReadonlySet<Party> {
    const known = this.#nearest.get(key);
    if (known !== undefined) return known;
    const seats = [...this.#parts.directory.all()];
    const position = this.#positionOf(key);
    const near =
      seats.length <= keepersMax
        ? seats
        : seats.toSorted((a, b) => compareDistance(position, a.self.position, b.self.position)).slice(0, keepersMax);
    const keepers = new Set(near.map(({ party }) => party));
    this.#nearest.set(key, keepers);
    return keepers;
  }

  /** sha256 over the multihash: 0x12, 0x20 and the key's bytes. */
  #positionOf(key: RoutingKey): Uint8Array {
    const bytes = Array.from({ length: 32 }, (_, index) => Number.parseInt(key.slice(2 * index, 2 * index + 2), 16));
    return this.#parts.digester.hash('sha256', Uint8Array.of(0x12, 0x20, ...bytes));
  }

  /** ADD_PROVIDER to those of ours that are among the keepers. */
  #tellOurs(key: RoutingKey, party: Party): void {
    const { directory, kernel } = this.#parts;
    const sender = this.#spegel.get(party)?.seat.self;
    const keepers = this.#keepersOf(key);
    const ours = [...directory.all()].filter(({ self, party: at }) => self.kind === 'peili' && keepers.has(at));
    if (sender === undefined || ours.length === 0) return;
    kernel.schedule(noticeUs + tellUs, () => {
      for (const seat of ours) {
        this.#sequence += 1;
        const batch = { incarnation: 0, sequence: this.#sequence, complete: false, add: [{ key }], withdraw: [] };
        if (canBeAsked(seat.party) && !party.life.isOver)
          seat.handler?.onBatch(sender, { ...batch, ttlUs: validityUs });
      }
    });
  }

  #takeBatch(senderId: string, { add, ttlUs }: RecordBatch): void {
    const party = this.#parts.directory.find(senderId)?.party;
    if (party === undefined) return;
    const nowUs = this.#parts.kernel.nowUs();
    for (const { key } of add) {
      this.#recordsOf(key).set(party, { selfUs: Infinity, toldUs: nowUs, untilUs: nowUs + ttlUs });
    }
  }

  #answer({ seat, release }: SpegelSeat, key: RoutingKey): LookupAnswer {
    const nowUs = this.#parts.kernel.nowUs();
    const known = new Set(tellsOthers(release) ? this.atHome(key, seat.party) : []);
    const own = this.#records.get(key)?.get(seat.party);
    if (own !== undefined && own.selfUs <= nowUs) known.add(seat.party);
    const holders: Holder[] = [];
    for (const each of this.#parts.directory.all()) if (known.has(each.party)) holders.push({ member: each.self });
    return { holders, warming: false, closer: [] };
  }
}

function canBeAsked({ host, life }: Party): boolean {
  return !life.isOver && !life.isPaused && host.isPlugged;
}

function compareDistance(from: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (const [index, byte] of from.entries()) {
    const difference = (byte ^ (a[index] ?? 0)) - (byte ^ (b[index] ?? 0));
    if (difference !== 0) return difference;
  }
  return 0;
}
