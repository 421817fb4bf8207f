import type { Clock, Timer } from '../../core/index.ts';

/** One timer for all reasons to do something again: an earlier time replaces a later one. */
export interface EarliestTimer {
  after(delayUs: number): void;
  /** Ends it for good. Idempotent. */
  close(): void;
  /** 1 while it will call back. */
  pending(): number;
}

export function createEarliestTimer(clock: Clock, callback: () => void): EarliestTimer {
  const state: { timer: Timer | undefined; atUs: number; closed: boolean } = {
    timer: undefined,
    atUs: 0,
    closed: false,
  };
  const cancel = (): void => {
    state.timer?.cancel();
    state.timer = undefined;
  };
  return {
    after: (delayUs) => {
      const atUs = clock.nowUs() + delayUs;
      if (state.closed || (state.timer !== undefined && state.atUs <= atUs)) return;
      cancel();
      state.atUs = atUs;
      state.timer = clock.schedule(delayUs, () => {
        state.timer = undefined;
        callback();
      });
    },
    close: () => {
      state.closed = true;
      cancel();
    },
    pending: () => (state.timer === undefined ? 0 : 1),
  };
}
