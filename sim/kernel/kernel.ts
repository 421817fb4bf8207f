import type { Timer } from '../../core/index.ts';
import { afterMicrotasks, createTick, drainByImmediate, onNextTurn } from './drain.ts';
import type { DrainStrategy } from './drain.ts';
import { EventQueue, QueuedEvent } from './event-queue.ts';
import type { EventOwner } from './event-queue.ts';
import { TraceHash } from './trace-hash.ts';

/** Stands before real time and chance while events happen (`poison-guard.ts`). */
export interface KernelGuard {
  readonly enter: (onUse: (misuse: Error) => void) => void;
  readonly leave: () => void;
}

export interface KernelOptions {
  /** @default 'immediate' */
  readonly drain?: DrainStrategy;
  /** Which ties are decided the other way: a tie is two events that are due at the same time with the same priority, counted as they come. @default none */
  readonly swaps?: readonly number[];
  /** @default nobody */
  readonly guard?: KernelGuard;
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
  readonly #guard: KernelGuard | undefined;
  readonly #swaps: ReadonlySet<number>;
  #nowUs = 0;
  #sequence = 0;
  #executed = 0;
  #ties = 0;
  #isStopped = false;
  #failure: { readonly cause: unknown } | undefined;
  readonly #onMisuse = (misuse: Error): void => {
    this.fail(misuse);
  };
  #onEvent: ((sequence: number) => void) | undefined;

  constructor({ drain = 'immediate', swaps = [], guard }: KernelOptions = {}) {
    this.#drain = drain;
    this.#guard = guard;
    this.#swaps = new Set(swaps);
  }

  nowUs(): number {
    return this.#nowUs;
  }

  /** Events that have happened: what was scheduled, was not cancelled, and was called back. All that follows from it before the next one belongs to it. */
  get executed(): number {
    return this.#executed;
  }

  /** Events that are still to happen. */
  get pending(): number {
    return this.#queue.size;
  }

  /** Ties that there have been: swaps below this number took place. */
  get ties(): number {
    return this.#ties;
  }

  /** Calls back once, `delayUs` from now. At the same time lower priorities go first, then who came first. */
  schedule(delayUs: number, callback: () => void, priority = 0, owner?: EventOwner): Timer {
    this.#sequence += 1;
    const atUs = this.#nowUs + Math.max(0, Math.ceil(delayUs));
    if (!Number.isSafeInteger(atUs)) throw new RangeError(`no time in which an event could happen: ${atUs} us`);
    const event = new QueuedEvent(this.#queue, atUs, priority, this.#sequence, callback, owner);
    this.#queue.push(event);
    return event;
  }

  /** Nothing of what this owner has planned will happen. */
  cancelAllOf(owner: EventOwner): void {
    this.#queue.cancelAllOf(owner);
  }

  /** Calls back before each event with its sequence, which tells it from all others of the run. One watcher. */
  watchEvents(onEvent: (sequence: number) => void): void {
    this.#onEvent = onEvent;
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
    // What was begun before time begins goes on now, under guard too.
    this.#enter();
    await this.#settle();
    const turn = this.#drain === 'tick' ? this.#createTickTurn(untilUs, eventsMax) : undefined;
    for (;;) {
      const end = this.#endOf(untilUs, eventsMax);
      if (end !== undefined) {
        if (end === 'time') this.#nowUs = untilUs;
        return end;
      }
      if (turn !== undefined) {
        await onNextTurn(turn);
        continue;
      }
      this.#enter();
      this.#step();
      await this.#settle();
    }
  }

  /** Many events in one turn of the event loop; now and then back to it, where signals and messages wait. */
  #createTickTurn(untilUs: number, eventsMax: number): () => void {
    const tick = createTick();
    return () => {
      this.#enter();
      try {
        for (let events = 0; events < eventsATurn && this.#endOf(untilUs, eventsMax) === undefined; events += 1) {
          this.#step();
          tick();
        }
      } finally {
        this.#guard?.leave();
      }
    };
  }

  #enter(): void {
    this.#guard?.enter(this.#onMisuse);
  }

  /** Others of this process may have their turn before it resolves: the guard lets them through. */
  #settle(): Promise<void> {
    const guard = this.#guard;
    if (guard !== undefined) afterMicrotasks(guard.leave);
    return drainByImmediate();
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
    if (event === undefined) return;
    this.#nowUs = event.atUs;
    this.#executed += 1;
    this.hash.mixEvent(event.atUs, event.sequence);
    this.#onEvent?.(event.sequence);
    const { owner } = event;
    try {
      if (owner?.isPaused === true) owner.hold(event);
      else event.fire();
    } catch (cause) {
      this.fail(cause);
    }
  }

  #next(): QueuedEvent | undefined {
    const event = this.#queue.pop();
    if (event === undefined || !this.#queue.mayHoldAnotherAt(event.atUs)) return event;
    const other = this.#queue.peek();
    if (other === undefined || other.atUs !== event.atUs || other.priority !== event.priority) return event;
    this.#ties += 1;
    if (!this.#swaps.has(this.#ties - 1)) return event;
    this.#queue.pop();
    this.#queue.push(event);
    return other;
  }
}

const eventsATurn = 4096;
