/** One thing that is to happen. Order: time, then priority, then sequence. */
export interface QueuedEvent {
  readonly atUs: number;
  readonly priority: number;
  readonly sequence: number;
  /** Undefined once it is cancelled: it stays in the heap until its time. */
  callback: (() => void) | undefined;
}

/** A binary heap of events. Cancelled ones are dropped when they reach the top, and all at once when they are most of it. */
export class EventQueue {
  #heap: QueuedEvent[] = [];
  #cancelled = 0;

  /** Events that still are to happen. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  push(event: QueuedEvent): void {
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
  }

  cancel(event: QueuedEvent): void {
    if (event.callback === undefined) return;
    event.callback = undefined;
    this.#cancelled += 1;
    if (this.#cancelled > compactAbove && this.#cancelled * 2 > this.#heap.length) this.#compact();
  }

  peek(): QueuedEvent | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].callback === undefined) {
      this.#take();
      this.#cancelled -= 1;
    }
    return this.#heap[0];
  }

  pop(): QueuedEvent | undefined {
    return this.peek() === undefined ? undefined : this.#take();
  }

  #take(): QueuedEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) {
      heap[0] = last;
      this.#sink(0);
    }
    return first;
  }

  #compact(): void {
    this.#heap = this.#heap.filter(({ callback }) => callback !== undefined);
    this.#cancelled = 0;
    for (let index = (this.#heap.length >> 1) - 1; index >= 0; index -= 1) this.#sink(index);
  }

  #rise(start: number): void {
    const heap = this.#heap;
    const event = heap[start] as QueuedEvent;
    let index = start;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as QueuedEvent;
      if (!isBefore(event, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = event;
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const event = heap[start] as QueuedEvent;
    const { length } = heap;
    let index = start;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= length) break;
      if (below + 1 < length && isBefore(heap[below + 1] as QueuedEvent, heap[below] as QueuedEvent)) below += 1;
      const child = heap[below] as QueuedEvent;
      if (!isBefore(child, event)) break;
      heap[index] = child;
      index = below;
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
