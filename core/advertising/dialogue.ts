import type { Limits } from '../limits.ts';
import type { Member, Random, RoutingKey } from '../ports/index.ts';

/** What this node has said to one member, and what is to be said next. */
export class Dialogue {
  member: Member;
  /** What the member was told; undefined when that is not known: then it is told everything. */
  told: Set<RoutingKey> | undefined;
  /** Keys that have changed for it since. */
  changed = new Set<RoutingKey>();
  /** The last send failed: its keys are kept elsewhere until it takes something. */
  isAway = false;
  /** Sends that failed since something of substance was taken. */
  failures = 0;
  isSending = false;
  /** When everything is to be said again. */
  completeAtUs = Infinity;
  /** When a member that failed is spoken to again. */
  retryAtUs = 0;
  readonly abort = new AbortController();

  constructor(member: Member) {
    this.member = member;
  }

  /** When there is something to do, monotonic microseconds; the past for at once. */
  dueAtUs(): number {
    if (this.isSending) return Infinity;
    if (this.isAway) return this.retryAtUs;
    return this.told === undefined || this.changed.size > 0 ? 0 : this.completeAtUs;
  }

  isCompleteDue(nowUs: number): boolean {
    return this.told === undefined || nowUs >= this.completeAtUs;
  }

  /** Nothing that was said is known to have arrived. */
  forget(): void {
    this.told = undefined;
    this.changed.clear();
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
