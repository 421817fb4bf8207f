import type { Clock, Timer } from '../../core/index.ts';

/** One deadline that moves all the time, over one timer that seldom does: moving it later costs a field. */
export interface Deadline {
  /** Expires `delayUs` from now, whatever was set before. */
  set(delayUs: number): void;
  /** Does not expire until set again. */
  clear(): void;
  /** Takes the timer back for good. */
  close(): void;
}

export function createDeadline(clock: Clock, onExpire: () => void): Deadline {
  const state = { dueUs: Infinity, firesUs: Infinity, closed: false };
  let timer: Timer | undefined;

  const arm = (dueUs: number): void => {
    timer?.cancel();
    state.firesUs = dueUs;
    timer = clock.schedule(Math.max(0, dueUs - clock.nowUs()), fire);
  };
  const fire = (): void => {
    state.firesUs = Infinity;
    timer = undefined;
    if (state.dueUs === Infinity || state.closed) return;
    if (state.dueUs > clock.nowUs()) {
      arm(state.dueUs);
      return;
    }
    state.dueUs = Infinity;
    onExpire();
  };

  return {
    set: (delayUs) => {
      if (state.closed) return;
      state.dueUs = clock.nowUs() + delayUs;
      if (state.dueUs < state.firesUs) arm(state.dueUs);
    },
    clear: () => {
      state.dueUs = Infinity;
    },
    close: () => {
      state.closed = true;
      timer?.cancel();
      timer = undefined;
    },
  };
}
