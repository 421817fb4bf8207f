import type { Timer } from '../../core/index.ts';

/** Whose timers they are: it counts those that wait, may stand still, and takes them all with it when it ends. */
export interface EventOwner {
  pending: number;
  readonly isPaused: boolean;
  /** Takes an event that is due while it stands still. */
  hold(event: QueuedEvent): void;
}

/** One thing that is to happen; who planned it holds it as its timer. Order: time, then priority, then sequence. */
export class QueuedEvent implements Timer {
  readonly atUs: number;
  readonly priority: number;
  readonly sequence: number;
  readonly owner: EventOwner | undefined;
  readonly #queue: EventQueue;
  #callback: (() => void) | undefined;
  #isQueued = true;

  constructor(
    queue: EventQueue,
    atUs: number,
    priority: number,
    sequence: number,
    callback: () => void,
    owner: EventOwner | undefined,
  ) {
    this.#queue = queue;
    this.atUs = atUs;
    this.priority = priority;
    this.sequence = sequence;
    this.#callback = callback;
    this.owner = owner;
  }

  /** False once it has happened or is cancelled: in the latter case it may still be in the heap. */
  get isPending(): boolean {
    return this.#callback !== undefined;
  }

  cancel(): void {
    if (this.#callback === undefined) return;
    this.#callback = undefined;
    if (this.#isQueued) this.#queue.onCancelled(this);
  }

  /** Marks it as taken out of the heap. */
  take(): void {
    this.#isQueued = false;
  }

  /** Puts it back. */
  give(): void {
    this.#isQueued = true;
  }

  /** Lets it happen, unless it is cancelled. */
  fire(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  /** As `cancel()`, for who takes care of the heap. */
  drop(): void {
    this.#callback = undefined;
  }
}

/**
 * A heap of events, four children to each. Cancelled ones are dropped when they reach the top, and all at once when they are most of it. Times stand beside the
 * events, where a comparison need not look into them; the place of what was taken stays open, since what happens mostly plans the next thing.
 */
export class EventQueue {
  #heap: (QueuedEvent | undefined)[] = [];
  #times = new Float64Array(64);
  #length = 0;
  #cancelled = 0;
  /** The top was taken, and nothing has come into its place. */
  #isTopOpen = false;

  /** Events that still are to happen. */
  get size(): number {
    return this.#length - this.#cancelled - (this.#isTopOpen ? 1 : 0);
  }

  /** All that take memory: those that were cancelled too, until they are dropped. */
  get heldEvents(): number {
    return this.#length;
  }

  push(event: QueuedEvent): void {
    if (event.owner !== undefined) event.owner.pending += 1;
    event.give();
    if (this.#isTopOpen) {
      this.#isTopOpen = false;
      this.#sink(0, event);
      return;
    }
    if (this.#length === this.#times.length) this.#grow();
    this.#length += 1;
    this.#rise(this.#length - 1, event);
  }

  /** What each queued event says of itself, once. */
  onCancelled(event: QueuedEvent): void {
    if (event.owner !== undefined) event.owner.pending -= 1;
    this.#cancelled += 1;
    if (this.#cancelled > compactAbove && this.#cancelled * 2 > this.#length) this.#compact();
  }

  /** Cancels everything of one owner. */
  cancelAllOf(owner: EventOwner): void {
    if (owner.pending === 0) return;
    this.#closeTop();
    for (const event of this.#heap) if (event?.owner === owner) event.drop();
    owner.pending = 0;
    this.#compact();
  }

  peek(): QueuedEvent | undefined {
    this.#closeTop();
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.isPending) return first;
      this.#removeTop();
      this.#cancelled -= 1;
    }
    return undefined;
  }

  pop(): QueuedEvent | undefined {
    const first = this.peek();
    if (first === undefined) return undefined;
    first.take();
    this.#isTopOpen = true;
    if (first.owner !== undefined) first.owner.pending -= 1;
    return first;
  }

  /** After a `pop()`: false when no other event can be due at this time. */
  mayHoldAnotherAt(atUs: number): boolean {
    const times = this.#times;
    const start = this.#isTopOpen ? 1 : 0;
    const end = this.#length < 5 ? this.#length : 5;
    for (let index = start; index < end; index += 1) if (times[index] === atUs) return true;
    return false;
  }

  #closeTop(): void {
    if (!this.#isTopOpen) return;
    this.#isTopOpen = false;
    this.#removeTop();
  }

  #removeTop(): void {
    this.#length -= 1;
    const last = this.#heap[this.#length];
    this.#heap[this.#length] = undefined;
    if (last !== undefined && this.#length > 0) this.#sink(0, last);
  }

  #compact(): void {
    this.#closeTop();
    const kept = this.#heap.filter((event) => event?.isPending === true);
    this.#heap = kept;
    this.#length = kept.length;
    this.#cancelled = 0;
    kept.forEach((event, index) => {
      this.#times[index] = event?.atUs ?? 0;
    });
    for (let index = (kept.length - 2) >> 2; index >= 0; index -= 1) {
      const event = kept[index];
      if (event !== undefined) this.#sink(index, event);
    }
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#times.length);
    larger.set(this.#times);
    this.#times = larger;
  }

  /** Puts the event at this place, or above it. */
  #rise(start: number, event: QueuedEvent): void {
    const heap = this.#heap;
    const times = this.#times;
    const { atUs } = event;
    let index = start;
    while (index > 0) {
      const above = (index - 1) >> 2;
      const parent = heap[above];
      const aboveUs = times[above] ?? 0;
      if (parent === undefined || atUs > aboveUs || (atUs === aboveUs && !isEarlierAtOnce(event, parent))) break;
      heap[index] = parent;
      times[index] = aboveUs;
      index = above;
    }
    heap[index] = event;
    times[index] = atUs;
  }

  /** Puts the event at this place, or below it. */
  #sink(start: number, event: QueuedEvent): void {
    const heap = this.#heap;
    const times = this.#times;
    const length = this.#length;
    const { atUs } = event;
    let index = start;
    for (let child = 4 * index + 1; child < length; child = 4 * index + 1) {
      let firstUs = times[child] ?? 0;
      let first = heap[child];
      const end = child + 4 < length ? child + 4 : length;
      for (let other = child + 1; other < end; other += 1) {
        const otherUs = times[other] ?? 0;
        if (otherUs > firstUs) continue;
        const candidate = heap[other];
        if (otherUs === firstUs && !isEarlierAtOnce(candidate, first)) continue;
        firstUs = otherUs;
        first = candidate;
        child = other;
      }
      if (firstUs > atUs || (firstUs === atUs && !isEarlierAtOnce(first, event))) break;
      heap[index] = first;
      times[index] = firstUs;
      index = child;
    }
    heap[index] = event;
    times[index] = atUs;
  }
}

/** Below it a look at all of them costs more than they do. */
const compactAbove = 1024;

/** Of two that are due at the same time. */
function isEarlierAtOnce(a: QueuedEvent | undefined, b: QueuedEvent | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.priority === b.priority ? a.sequence < b.sequence : a.priority < b.priority;
}
