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

/** A heap of events, four children to each. Cancelled ones are dropped when they reach the top, and all at once when they are most of it. */
export class EventQueue {
  #heap: QueuedEvent[] = [];
  #cancelled = 0;

  /** Events that still are to happen. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** All that take memory: those that were cancelled too, until they are dropped. */
  get heldEvents(): number {
    return this.#heap.length;
  }

  push(event: QueuedEvent): void {
    if (event.owner !== undefined) event.owner.pending += 1;
    event.give();
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1, event);
  }

  /** What each queued event says of itself, once. */
  onCancelled(event: QueuedEvent): void {
    if (event.owner !== undefined) event.owner.pending -= 1;
    this.#cancelled += 1;
    if (this.#cancelled > compactAbove && this.#cancelled * 2 > this.#heap.length) this.#compact();
  }

  /** Cancels everything of one owner. */
  cancelAllOf(owner: EventOwner): void {
    if (owner.pending === 0) return;
    for (const event of this.#heap) if (event.owner === owner) event.drop();
    owner.pending = 0;
    this.#compact();
  }

  peek(): QueuedEvent | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.isPending) return first;
      this.#removeFirst();
      this.#cancelled -= 1;
    }
    return undefined;
  }

  pop(): QueuedEvent | undefined {
    const first = this.peek();
    if (first === undefined) return undefined;
    this.#removeFirst();
    first.take();
    if (first.owner !== undefined) first.owner.pending -= 1;
    return first;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(0, last);
  }

  #compact(): void {
    this.#heap = this.#heap.filter(({ isPending }) => isPending);
    this.#cancelled = 0;
    for (let index = (this.#heap.length - 2) >> 2; index >= 0; index -= 1) {
      const event = this.#heap[index];
      if (event !== undefined) this.#sink(index, event);
    }
  }

  /** Puts the event at this place, or above it. */
  #rise(start: number, event: QueuedEvent): void {
    const heap = this.#heap;
    let index = start;
    while (index > 0) {
      const above = (index - 1) >> 2;
      const parent = heap[above];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = event;
  }

  /** Puts the event at this place, or below it. */
  #sink(start: number, event: QueuedEvent): void {
    const heap = this.#heap;
    const { length } = heap;
    let index = start;
    for (let child = 4 * index + 1; child < length; child = 4 * index + 1) {
      let first = heap[child];
      const end = Math.min(child + 4, length);
      for (let other = child + 1; other < end; other += 1) {
        const candidate = heap[other];
        if (first === undefined || candidate === undefined || !isBefore(candidate, first)) continue;
        first = candidate;
        child = other;
      }
      if (first === undefined || !isBefore(first, event)) break;
      heap[index] = first;
      index = child;
    }
    heap[index] = event;
  }
}

/** Below it a look at all of them costs more than they do. */
const compactAbove = 1024;

function isBefore(a: QueuedEvent, b: QueuedEvent): boolean {
  if (a.atUs !== b.atUs) return a.atUs < b.atUs;
  if (a.priority !== b.priority) return a.priority < b.priority;
  return a.sequence < b.sequence;
}
