import type { Timer } from '../../core/index.ts';
import type { EventOwner, QueuedEvent } from './event-queue.ts';
import type { Kernel } from './kernel.ts';

/**
 * One run of a program, from its start to its end. Whatever comes to it from outside (a timer, a packet, an answer) goes through `run`: while it is paused it
 * waits, and once it is over nothing happens in it any more, no promise of it settles, as in a power cut.
 */
export class Life implements EventOwner {
  /** Timers that wait: the queue counts. */
  pending = 0;
  readonly #kernel: Kernel;
  readonly #onEnd = new Set<() => void>();
  readonly #onPause = new Set<() => void>();
  #waiting: (() => void)[] = [];
  #isPaused = false;
  #isOver = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Calls back now, when the program goes on, or never. */
  run(callback: () => void): void {
    if (this.#isOver) return;
    if (this.#isPaused) this.#waiting.push(callback);
    else callback();
  }

  /** As `run()` of a function that exists already: for what comes with each chunk. */
  give<T>(callback: (value: T) => void, value: T): void {
    if (this.#isOver) return;
    if (!this.#isPaused) callback(value);
    else
      this.#waiting.push(() => {
        callback(value);
      });
  }

  schedule(delayUs: number, callback: () => void): Timer {
    return this.#isOver ? neverTimer : this.#kernel.schedule(delayUs, callback, 0, this);
  }

  hold(event: QueuedEvent): void {
    this.#waiting.push(() => {
      event.fire();
    });
  }

  /** Calls back when the program is gone: what the world, not the program, does then. */
  onEnd(callback: () => void): () => void {
    if (this.#isOver) callback();
    else this.#onEnd.add(callback);
    return () => void this.#onEnd.delete(callback);
  }

  /** Calls back whenever the program stands still: what it had given to the kernel before goes on. */
  onPause(callback: () => void): () => void {
    this.#onPause.add(callback);
    return () => void this.#onPause.delete(callback);
  }

  /** As SIGSTOP. */
  pause(): void {
    this.#isPaused = true;
    for (const callback of this.#onPause) callback();
  }

  /** As SIGCONT: what has come meanwhile happens now, in its order. */
  resume(): void {
    this.#isPaused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) this.run(callback);
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#kernel.cancelAllOf(this);
    this.#waiting = [];
    for (const callback of this.#onEnd) callback();
    this.#onEnd.clear();
  }
}

/** What a program that is gone plans. */
const neverTimer: Timer = { cancel: () => undefined };
