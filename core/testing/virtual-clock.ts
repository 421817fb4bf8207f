import type { Clock, Timer } from '../ports/index.ts';

/** Time that moves only when a test says so. */
export interface VirtualClock extends Clock {
  /** Moves time forward, running what falls due in order and letting promises settle in between. */
  advance(us: number): Promise<void>;
  /** Runs timers until `promise` settles: its result, or a failure after `limitUs` of virtual time. */
  settle<T>(promise: Promise<T>, limitUs?: number): Promise<T>;
  /** Moves the wall clock alone. */
  shiftWall(us: number): void;
  /** Timers that wait: zero when everything is at rest. */
  pending(): number;
}

interface Entry {
  readonly atUs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Lets every promise that can settle do so. */
export function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export function createVirtualClock(startUs = 1_000_000): VirtualClock {
  const entries = new Set<Entry>();
  const state = { nowUs: startUs, wallOffsetUs: 1_700_000_000_000_000, order: 0 };

  const schedule = (delayUs: number, callback: () => void): Timer => {
    const entry: Entry = { atUs: state.nowUs + Math.max(0, Math.ceil(delayUs)), order: state.order, callback };
    state.order += 1;
    entries.add(entry);
    return { cancel: () => void entries.delete(entry) };
  };

  const earliest = (): Entry | undefined => {
    let best: Entry | undefined;
    for (const entry of entries) {
      if (best === undefined || entry.atUs < best.atUs || (entry.atUs === best.atUs && entry.order < best.order))
        best = entry;
    }
    return best;
  };

  const runNext = async (untilUs: number): Promise<boolean> => {
    await drainMicrotasks();
    const entry = earliest();
    if (entry === undefined || entry.atUs > untilUs) return false;
    entries.delete(entry);
    state.nowUs = Math.max(state.nowUs, entry.atUs);
    entry.callback();
    return true;
  };

  const advance = async (us: number): Promise<void> => {
    const untilUs = state.nowUs + us;
    while (await runNext(untilUs));
    state.nowUs = untilUs;
    await drainMicrotasks();
  };

  const settle = async <T>(promise: Promise<T>, limitUs = 600_000_000): Promise<T> => {
    const outcome = { settled: false };
    const mark = (): void => {
      outcome.settled = true;
    };
    promise.then(mark, mark);
    const untilUs = state.nowUs + limitUs;
    await drainMicrotasks();
    while (!outcome.settled) {
      if (!(await runNext(untilUs))) {
        await drainMicrotasks();
        if (outcome.settled) break;
        throw new Error(
          `not settled after ${String(limitUs)} us of virtual time, ${String(entries.size)} timers pending`,
        );
      }
    }
    return promise;
  };

  return {
    nowUs: () => state.nowUs,
    wallUs: () => state.nowUs + state.wallOffsetUs,
    schedule,
    advance,
    settle,
    shiftWall: (us) => {
      state.wallOffsetUs += us;
    },
    pending: () => entries.size,
  };
}
