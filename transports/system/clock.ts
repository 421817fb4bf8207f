import type { Clock, Timer } from '../../core/index.ts';

/** The longest delay that setTimeout takes; longer ones are waited for in steps. */
const timeoutMaxMs = 2 ** 31 - 1;

export interface SystemClock extends Clock {
  /** Timers that wait: zero when everything is at rest. */
  pending(): number;
}

/**
 * The machine's clocks. Monotonic time begins with the process.
 *
 * A waiting timer keeps the process alive, as setTimeout's do: who schedules one owns it and cancels it when closed, and a process that
 * does not end shows whose was forgotten. A callback never runs before its time, which setTimeout alone would allow by up to a millisecond.
 */
export function createSystemClock(): SystemClock {
  const state = { pending: 0 };
  const nowUs = (): number => Math.floor(performance.now() * 1000);
  const wallUs = (): number => Date.now() * 1000;

  const schedule = (delayUs: number, callback: () => void): Timer => {
    const dueUs = nowUs() + Math.max(0, delayUs);
    const wait = (): NodeJS.Timeout =>
      setTimeout(fire, Math.min(timeoutMaxMs, Math.max(1, Math.ceil((dueUs - nowUs()) / 1000))));
    const fire = (): void => {
      if (nowUs() < dueUs) {
        handle = wait();
        return;
      }
      finish();
      callback();
    };
    const finish = (): void => {
      handle = undefined;
      state.pending -= 1;
    };
    let handle: NodeJS.Timeout | undefined = wait();
    state.pending += 1;
    return {
      cancel: () => {
        if (handle === undefined) return;
        clearTimeout(handle);
        finish();
      },
    };
  };

  return { nowUs, wallUs, schedule, pending: () => state.pending };
}
