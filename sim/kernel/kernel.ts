import type { Timer } from '../../core/index.ts';
import { drainByImmediate, drainByTick, onNextTurn } from './drain.ts';
import type { DrainStrategy } from './drain.ts';
import { EventQueue } from './event-queue.ts';
import type { QueuedEvent } from './event-queue.ts';
import { TraceHash } from './trace-hash.ts';

export interface KernelOptions {
  /** @default 'immediate' */
  readonly drain?: DrainStrategy;
  /** Ordinals of events that change places with the next one, where that is due at the same time. @default none */
  readonly swaps?: readonly number[];
}

/** Why a run ended: somebody stopped it, nothing was left to happen, or the time or the number of events was up. */
export type RunEnd = 'stopped' | 'idle' | 'time' | 'events';

export interface RunBounds {
  readonly untilUs: number;
  /** @default no bound */
  readonly eventsMax?: number;
}

/** Virtual time: integer microseconds that move from event to event. One thread, one order. */
export class Kernel {
  readonly hash = new TraceHash();
  readonly #queue = new EventQueue();
  readonly #drain: DrainStrategy;
  readonly #swaps: ReadonlySet<number>;
  #nowUs = 0;
  #sequence = 0;
  #executed = 0;
  #isStopped = false;
  #failure: { readonly cause: unknown } | undefined;

  constructor({ drain = 'immediate', swaps = [] }: KernelOptions = {}) {
    this.#drain = drain;
    this.#swaps = new Set(swaps);
  }

  nowUs(): number {
    return this.#nowUs;
  }

  /** Events that have happened. */
  get executed(): number {
    return this.#executed;
  }

  /** Events that are still to happen. */
  get pending(): number {
    return this.#queue.size;
  }

  /** Calls back once, `delayUs` from now. At the same time lower priorities go first, then who came first. */
  schedule(delayUs: number, callback: () => void, priority = 0): Timer {
    this.#sequence += 1;
    const atUs = this.#nowUs + Math.max(0, Math.ceil(delayUs));
    if (!Number.isSafeInteger(atUs)) throw new RangeError(`no time in which an event could happen: ${atUs} us`);
    const event: QueuedEvent = { atUs, priority, sequence: this.#sequence, callback };
    this.#queue.push(event);
    return {
      cancel: () => {
        this.#queue.cancel(event);
      },
    };
  }

  /** Ends the run after the event that happens now. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Ends the run, which rejects with the cause. */
  fail(cause: unknown): void {
    this.#failure ??= { cause };
  }

  /** Lets events happen in order, promises settling after each. */
  async run({ untilUs, eventsMax = Infinity }: RunBounds): Promise<RunEnd> {
    this.#isStopped = false;
    await drainByImmediate();
    for (;;) {
      const end = this.#endOf(untilUs, eventsMax);
      if (end !== undefined) {
        if (end === 'time') this.#nowUs = untilUs;
        return end;
      }
      if (this.#drain === 'tick') {
        await onNextTurn(() => {
          // Now and then back to the event loop, where signals and messages wait.
          for (let turns = 0; turns < turnsMax && this.#endOf(untilUs, eventsMax) === undefined; turns += 1) {
            this.#step();
            drainByTick();
          }
        });
      } else {
        this.#step();
        await drainByImmediate();
      }
    }
  }

  #endOf(untilUs: number, eventsMax: number): RunEnd | undefined {
    if (this.#failure !== undefined) throw this.#failure.cause;
    if (this.#isStopped) return 'stopped';
    if (this.#executed >= eventsMax) return 'events';
    const next = this.#queue.peek();
    if (next === undefined) return 'idle';
    return next.atUs > untilUs ? 'time' : undefined;
  }

  #step(): void {
    const event = this.#next();
    if (event?.callback === undefined) return;
    const { atUs, callback, sequence } = event;
    event.callback = undefined;
    this.#nowUs = atUs;
    this.#executed += 1;
    this.hash.mix(atUs);
    this.hash.mix(sequence);
    try {
      callback();
    } catch (cause) {
      this.fail(cause);
    }
  }

  #next(): QueuedEvent | undefined {
    const event = this.#queue.pop();
    if (event === undefined || !this.#swaps.has(this.#executed)) return event;
    const other = this.#queue.peek();
    if (other === undefined || other.atUs !== event.atUs) return event;
    this.#queue.pop();
    this.#queue.push(event);
    return other;
  }
}

const turnsMax = 4096;
