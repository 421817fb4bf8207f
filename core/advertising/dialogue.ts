import { openScope } from '../abort.ts';
import type { Scope } from '../abort.ts';
import type { Limits } from '../limits.ts';
import type { Member, Random, RecordBatch, RoutingKey } from '../ports/index.ts';

/** What this node has said to one member, and what is to be said next. */
export class Dialogue {
  member: Member;
  #isKnown = false;
  #told: Set<RoutingKey> | undefined;
  #changed: Set<RoutingKey> | undefined;
  #sending: Scope | undefined;
  #isOver = false;
  /** The last send failed: its keys are kept elsewhere until it takes something. */
  isAway = false;
  /** Sends that failed since something of substance was taken. */
  failures = 0;
  isSending = false;
  /** When everything is to be said again. */
  completeAtUs = Infinity;
  /** When a member that failed is spoken to again. */
  retryAtUs = 0;

  constructor(member: Member) {
    this.member = member;
  }

  /** What the member was told; undefined when that is not known: then it is told everything. */
  get told(): ReadonlySet<RoutingKey> | undefined {
    return this.#isKnown ? (this.#told ?? noKeys) : undefined;
  }

  /** Whatever the member was told before is void. */
  beginTold(): void {
    this.#isKnown = true;
    this.#told = undefined;
  }

  /** It was told these besides, and those no longer. */
  noteTold({ add, withdraw }: Pick<RecordBatch, 'add' | 'withdraw'>): void {
    if (add.length > 0) this.#told ??= new Set();
    for (const { key } of add) this.#told?.add(key);
    for (const key of withdraw) this.#told?.delete(key);
  }

  /** Nothing is said to this member any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether a key has changed for the member since it was spoken to. */
  get hasChanged(): boolean {
    return this.#changed !== undefined;
  }

  change(key: RoutingKey): void {
    this.#changed ??= new Set();
    this.#changed.add(key);
  }

  /** The keys that have changed; none have from now on. */
  takeChanged(): ReadonlySet<RoutingKey> {
    const changed = this.#changed ?? noKeys;
    this.#changed = undefined;
    return changed;
  }

  /** What the next message is sent in: ends with the dialogue. Made anew each time: most dialogues are silent nearly always, and there is one for each member. */
  open(): Scope {
    const scope = openScope();
    this.#sending = scope;
    if (this.#isOver) scope.abort();
    return scope;
  }

  close(): void {
    this.#sending = undefined;
  }

  end(): void {
    this.#isOver = true;
    this.#sending?.abort();
  }

  /** When there is something to do, monotonic microseconds; the past for at once. */
  dueAtUs(): number {
    if (this.isSending) return Infinity;
    if (this.isAway) return this.retryAtUs;
    return this.told === undefined || this.hasChanged ? 0 : this.completeAtUs;
  }

  isCompleteDue(nowUs: number): boolean {
    return this.told === undefined || nowUs >= this.completeAtUs;
  }

  /** Nothing that was said is known to have arrived. */
  forget(): void {
    this.#isKnown = false;
    this.#told = undefined;
    this.#changed = undefined;
  }

  /** A failure doubles the pause, up to the reconcile interval. */
  fail(limits: Limits, nowUs: number): void {
    this.forget();
    this.isAway = true;
    const pauseUs = limits.advertiseRetryUs * 2 ** Math.min(this.failures, 16);
    this.failures += 1;
    this.retryAtUs = nowUs + Math.min(pauseUs, limits.reconcileIntervalUs);
  }

  /**
   * Everything is said again within the interval. Spread by chance, so that members' turns drift apart, and in slots, so that one waking serves several.
   * A member that has nothing of this node's needs no reminder.
   */
  planComplete(limits: Limits, random: Random, hasKeys: boolean, nowUs: number): void {
    const intervalUs = this.member.kind === 'spegel' ? limits.kadAdvertiseIntervalUs : limits.advertiseIntervalUs;
    const slotUs = Math.max(1, Math.floor(intervalUs / turnSlots));
    const slot = Math.floor(nowUs / slotUs) + turnSlots - random.below(turnSlots / 4);
    this.completeAtUs = hasKeys ? slot * slotUs : Infinity;
  }
}

const turnSlots = 64;
const noKeys: ReadonlySet<RoutingKey> = new Set();
