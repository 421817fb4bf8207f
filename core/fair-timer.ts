import type { Clock, Timer } from './ports/index.ts';

/** A timer that comes later than this tells of this process, not of whoever is waited for: event loops are late by a few milliseconds. */
const lateUs = 100_000;

/**
 * Calls back when somebody has had `delayUs` to answer. After SIGSTOP, or on a node that gave this process no time, the timer comes late, and what had arrived
 * meanwhile was not looked at: then they are given their time anew, once.
 */
export function scheduleFair(clock: Clock, delayUs: number, callback: () => void): Timer {
  const dueUs = clock.nowUs() + delayUs;
  let timer = clock.schedule(delayUs, () => {
    if (clock.nowUs() - dueUs <= lateUs) callback();
    else timer = clock.schedule(delayUs, callback);
  });
  return {
    cancel: () => {
      timer.cancel();
    },
  };
}
