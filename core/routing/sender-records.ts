import type { Member, RecordBatch, RecordEntry, RoutingKey } from '../ports/index.ts';

/** One key and who says that they hold it. The key's text is kept here alone; a lone holder needs no set. */
export interface KeyEntry {
  readonly key: RoutingKey;
  holders: SenderRecords | Set<SenderRecords>;
}

/** What is known of one record. Records without a tag share the claim of the batch that they came in. */
export interface Claim {
  readonly sequence: number;
  readonly receivedAtUs: number;
  readonly expiresAtUs: number;
  readonly tag: RecordEntry['tag'];
}

interface Tombstone {
  readonly sequence: number;
  readonly untilUs: number;
}

/** Everything that one member has said, in the order of its own (incarnation, sequence) whatever the network's order was. */
export class SenderRecords {
  member: Member;
  incarnation: number;
  freeSlots: number | undefined;
  heardAtUs: number;
  // Most members have nothing to say to this node but that they are there.
  #claims: Map<KeyEntry, Claim> | undefined;
  #tombstones: Map<RoutingKey, Tombstone> | undefined;
  /** Batches below it are void as a whole. */
  #floor = -1;
  #latest = -1;

  constructor(member: Member, incarnation: number, nowUs: number) {
    this.member = member;
    this.incarnation = incarnation;
    this.heardAtUs = nowUs;
  }

  get claims(): ReadonlyMap<KeyEntry, Claim> {
    return this.#claims ?? noClaims;
  }

  claim(entry: KeyEntry, claim: Claim): void {
    this.#claims ??= new Map();
    this.#claims.set(entry, claim);
  }

  /** False when it did not hold the key. */
  unclaim(entry: KeyEntry): boolean {
    return this.#claims?.delete(entry) === true;
  }

  get tombstones(): number {
    return this.#tombstones?.size ?? 0;
  }

  /** A new life of the sender: what the old one said is void, and its sequence begins again. */
  beginIncarnation(incarnation: number): void {
    this.incarnation = incarnation;
    this.#tombstones = undefined;
    this.#floor = -1;
    this.#latest = -1;
  }

  isVoid(batch: RecordBatch): boolean {
    return batch.incarnation < this.incarnation || batch.sequence < this.#floor;
  }

  /** Notes who spoke and how free it is, unless something newer said so already. */
  note(member: Member, batch: RecordBatch, nowUs: number): void {
    this.heardAtUs = nowUs;
    if (batch.sequence < this.#latest) return;
    this.#latest = batch.sequence;
    this.member = member;
    this.freeSlots = batch.freeSlots;
  }

  /** Batches below `sequence` mean nothing from now on; no tombstone below it is needed any more. */
  raiseFloor(sequence: number): void {
    this.#floor = Math.max(this.#floor, sequence);
    this.#dropTombstones(({ sequence: buried }) => buried < this.#floor);
  }

  bury(key: RoutingKey, sequence: number, untilUs: number): void {
    this.#tombstones ??= new Map();
    const known = this.#tombstones.get(key);
    if (known === undefined || known.sequence <= sequence) this.#tombstones.set(key, { sequence, untilUs });
  }

  /** Forgets all tombstones; what they kept out is kept out by the floor, together with older additions that might have been good. */
  collapseTombstones(sequence: number): void {
    this.#tombstones = undefined;
    this.#floor = Math.max(this.#floor, sequence);
  }

  /** Whether the sender withdrew the key after it sent the batch with this sequence. */
  wasBuriedAfter(key: RoutingKey, sequence: number, nowUs: number): boolean {
    const tombstone = this.#tombstones?.get(key);
    return tombstone !== undefined && tombstone.sequence > sequence && nowUs < tombstone.untilUs;
  }

  unbury(key: RoutingKey): void {
    this.#tombstones?.delete(key);
  }

  expireTombstones(nowUs: number): void {
    this.#dropTombstones(({ untilUs }) => nowUs >= untilUs);
  }

  #dropTombstones(isVoid: (tombstone: Tombstone) => boolean): void {
    const tombstones = this.#tombstones;
    if (tombstones === undefined) return;
    for (const [key, tombstone] of tombstones) if (isVoid(tombstone)) tombstones.delete(key);
    if (tombstones.size === 0) this.#tombstones = undefined;
  }
}

const noClaims: ReadonlyMap<KeyEntry, Claim> = new Map();
