import { PeiliError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { silentProbe } from '../ports/index.ts';
import type { Holder, Member, Probe, Random, RecordBatch, RecordEntry, RoutingKey } from '../ports/index.ts';
import { chooseHolders } from './choose-holders.ts';
import { checkRoutingKey } from './routing-key.ts';
import { SenderRecords } from './sender-records.ts';
import type { Claim, KeyEntry } from './sender-records.ts';

export interface RecordCounts {
  readonly keys: number;
  readonly records: number;
  readonly senders: number;
}

/**
 * The soft state of "who has it". No I/O and no time of its own: time is passed in. A record costs about 70 bytes where many members hold the key,
 * 200 where one does. What has expired is not given out, and is swept away as batches come.
 */
export class RecordStore {
  readonly #keys = new Map<RoutingKey, KeyEntry>();
  readonly #senders = new Map<string, SenderRecords>();
  readonly #own: SenderRecords;
  readonly #limits: Limits;
  readonly #random: Random;
  readonly #probe: Probe;
  #records = 0;
  #tombstones = 0;
  #sweptAtUs: number;

  constructor(self: Member, random: Random, limits: Limits, nowUs: number, probe: Probe = silentProbe) {
    this.#probe = probe;
    this.#own = new SenderRecords(self, self.incarnation, nowUs);
    this.#random = random;
    this.#limits = limits;
    this.#sweptAtUs = nowUs;
  }

  /**
   * Takes what a member says about itself. Throws `RECORDS_INVALID`, with nothing changed, for what no member of ours sends, and
   * `QUOTA_EXCEEDED` after taking what fits.
   */
  take(member: Member, batch: RecordBatch, nowUs: number): void {
    checkBatch(batch);
    this.#sweepNowAndThen(nowUs);
    const sender = this.#senderOf(member, batch.incarnation, nowUs);
    if (isNewLife(sender, member, batch)) {
      this.#dropOlder(sender, Infinity);
      this.#tombstones -= sender.tombstones;
      sender.beginIncarnation(batch.incarnation);
    }
    if (sender.isVoid(batch)) return;
    sender.note(member, batch, nowUs);
    const refused = this.#apply(sender, batch, nowUs);
    if (refused > 0) {
      throw new PeiliError('QUOTA_EXCEEDED', 'no room for further records', { sender: member.id, refused });
    }
  }

  /** Returns how many additions found no room. */
  #apply(sender: SenderRecords, batch: RecordBatch, nowUs: number): number {
    const tombstonesBefore = sender.tombstones;
    if (batch.complete) {
      sender.raiseFloor(batch.sequence);
      this.#dropOlder(sender, batch.sequence);
    }
    for (const key of batch.withdraw) this.#withdraw(sender, key, batch.sequence, nowUs);
    const refused = this.#add(sender, batch, nowUs);
    this.#tombstones += sender.tombstones - tombstonesBefore;
    return refused;
  }

  /** What this node itself holds: it answers for that as for the others' records, without a TTL. */
  setOwn(key: RoutingKey, tag: RecordEntry['tag'], nowUs: number): void {
    const entry = this.#keys.get(key) ?? this.#newEntry(key, this.#own);
    addHolder(entry, this.#own);
    this.#own.claim(entry, { sequence: 0, receivedAtUs: nowUs, expiresAtUs: Infinity, tag });
  }

  removeOwn(key: RoutingKey): void {
    const entry = this.#keys.get(key);
    if (entry === undefined) return;
    this.#own.unclaim(entry);
    this.#dropHolder(entry, this.#own);
  }

  clearOwn(): void {
    for (const entry of this.#own.claims.keys()) this.removeOwn(entry.key);
  }

  /** The holders of a key that an asker is told: never itself, its own zone first, then the freest, and chance among equals. */
  holders(key: RoutingKey, asker: Member | undefined, freeSlots: number | undefined, nowUs: number): Holder[] {
    const entry = this.#keys.get(key);
    if (entry === undefined) return [];
    this.#own.freeSlots = freeSlots;
    const holders: SenderRecords[] = [];
    for (const sender of holdersOf(entry)) {
      const claim = sender.claims.get(entry);
      if (claim !== undefined && nowUs < claim.expiresAtUs && sender.member.id !== asker?.id) holders.push(sender);
    }
    const chosen = chooseHolders(holders, asker?.zone ?? '', this.#limits.holdersPerAnswerMax, this.#random);
    return chosen.map((sender) => holderOf(sender, sender.claims.get(entry), nowUs));
  }

  counts(nowUs: number): RecordCounts {
    this.#sweep(nowUs);
    return { keys: this.#keys.size, records: this.#records, senders: this.#senders.size };
  }

  #senderOf(member: Member, incarnation: number, nowUs: number): SenderRecords {
    const known = this.#senders.get(member.id);
    if (known !== undefined) return known;
    if (this.#senders.size >= this.#limits.membersMax) {
      throw new PeiliError('QUOTA_EXCEEDED', 'no room for further senders', { sender: member.id });
    }
    const sender = new SenderRecords(member, incarnation, nowUs);
    this.#senders.set(member.id, sender);
    return sender;
  }

  #withdraw(sender: SenderRecords, key: RoutingKey, sequence: number, nowUs: number): void {
    const entry = this.#keys.get(key);
    const claim = entry === undefined ? undefined : sender.claims.get(entry);
    if (claim !== undefined && claim.sequence > sequence) return;
    if (entry !== undefined && claim !== undefined) this.#drop(sender, entry);
    if (this.#isFull(sender)) sender.collapseTombstones(sequence);
    else sender.bury(key, sequence, nowUs + this.#limits.tombstoneUs);
  }

  #add(sender: SenderRecords, batch: RecordBatch, nowUs: number): number {
    const { sequence } = batch;
    const expiresAtUs = nowUs + Math.min(batch.ttlUs, this.#limits.recordTtlUs);
    const shared: Claim = { sequence, receivedAtUs: nowUs, expiresAtUs, tag: undefined };
    let refused = 0;
    for (const { key, tag } of batch.add) {
      if (sender.wasBuriedAfter(key, sequence, nowUs)) {
        this.#probe.reach('routing: a withdrawal outweighs a late addition');
        continue;
      }
      const entry = this.#keys.get(key);
      const known = entry === undefined ? undefined : sender.claims.get(entry);
      if (known !== undefined && known.sequence > sequence) continue;
      if (known === undefined && this.#isFull(sender)) {
        refused += 1;
        continue;
      }
      const claim = tag === undefined ? shared : { ...shared, tag };
      const target = entry ?? this.#newEntry(key, sender);
      addHolder(target, sender);
      sender.claim(target, claim);
      sender.unbury(key);
      if (known === undefined) this.#records += 1;
    }
    return refused;
  }

  #isFull(sender: SenderRecords): boolean {
    return (
      this.#records + this.#tombstones >= this.#limits.recordsMax ||
      sender.claims.size + sender.tombstones >= this.#limits.recordsPerSenderMax
    );
  }

  #newEntry(key: RoutingKey, holder: SenderRecords): KeyEntry {
    const entry: KeyEntry = { key, holders: holder };
    this.#keys.set(key, entry);
    return entry;
  }

  #dropOlder(sender: SenderRecords, sequence: number): void {
    for (const [entry, claim] of sender.claims) {
      if (claim.sequence < sequence) this.#drop(sender, entry);
    }
  }

  #drop(sender: SenderRecords, entry: KeyEntry): void {
    if (!sender.unclaim(entry)) return;
    this.#records -= 1;
    this.#dropHolder(entry, sender);
  }

  #dropHolder(entry: KeyEntry, sender: SenderRecords): void {
    if (entry.holders === sender) {
      this.#keys.delete(entry.key);
    } else if (entry.holders instanceof Set) {
      entry.holders.delete(sender);
      if (entry.holders.size === 0) this.#keys.delete(entry.key);
    }
  }

  #sweepNowAndThen(nowUs: number): void {
    if (nowUs - this.#sweptAtUs >= this.#limits.recordTtlUs / 20) this.#sweep(nowUs);
  }

  #sweep(nowUs: number): void {
    this.#sweptAtUs = nowUs;
    this.#tombstones = 0;
    for (const [id, sender] of this.#senders) {
      sender.expireTombstones(nowUs);
      this.#tombstones += sender.tombstones;
      for (const [entry, claim] of sender.claims) {
        if (nowUs >= claim.expiresAtUs) this.#drop(sender, entry);
      }
      const isSilent = nowUs - sender.heardAtUs >= this.#limits.recordTtlUs;
      if (isSilent && sender.claims.size === 0) this.#senders.delete(id);
    }
  }
}

/** Incarnations are wall clocks, which may step back between two starts: with what it greeted with, a member is taken at its word. */
function isNewLife(sender: SenderRecords, member: Member, { incarnation }: RecordBatch): boolean {
  const isGreeting = incarnation === member.incarnation && incarnation !== sender.incarnation;
  return isGreeting || incarnation > sender.incarnation;
}

function holdersOf(entry: KeyEntry): Iterable<SenderRecords> {
  return entry.holders instanceof Set ? entry.holders : [entry.holders];
}

function addHolder(entry: KeyEntry, sender: SenderRecords): void {
  if (entry.holders instanceof Set) entry.holders.add(sender);
  else if (entry.holders !== sender) entry.holders = new Set([entry.holders, sender]);
}

function holderOf(sender: SenderRecords, claim: Claim | undefined, nowUs: number): Holder {
  const { member, freeSlots } = sender;
  const tag = claim?.tag;
  return {
    member,
    ...(freeSlots === undefined ? {} : { freeSlots }),
    // The age of a tag grows while the record lies here; both ends measure differences, so their clocks need not agree.
    ...(claim === undefined || tag === undefined
      ? {}
      : { tag: { digest: tag.digest, ageUs: tag.ageUs + (nowUs - claim.receivedAtUs) } }),
  };
}

/** Numbers and keys come from peers: what is out of shape is refused before it changes anything. */
function checkBatch(batch: RecordBatch): void {
  checkCounts(batch.incarnation, batch.sequence, batch.ttlUs, batch.freeSlots ?? 0);
  for (const { key, tag } of batch.add) {
    checkRoutingKey(key);
    if (tag !== undefined) checkCounts(tag.ageUs);
  }
  for (const key of batch.withdraw) checkRoutingKey(key);
}

function checkCounts(...counts: readonly number[]): void {
  for (const count of counts) {
    if (Number.isSafeInteger(count) && count >= 0) continue;
    throw new PeiliError('RECORDS_INVALID', 'numbers of a batch are integers from 0');
  }
}
