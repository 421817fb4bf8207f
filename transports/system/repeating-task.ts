import { openScope } from '../../core/index.ts';
import type { Clock, Timer } from '../../core/index.ts';

/** Something done again and again, one run at a time. */
export interface RepeatingTask {
  start(delayUs: number): void;
  /** Runs as soon as it may: now, or right after the run under way. */
  soon(): void;
  /** Ends it, aborting the run under way. Idempotent. */
  stop(): void;
}

/** `run` says how long to wait until the next run, and must not reject. */
export function createRepeatingTask(clock: Clock, run: (signal: AbortSignal) => Promise<number>): RepeatingTask {
  const life = openScope(new AbortController().signal);
  const state = { isRunning: false, isWanted: false };
  let timer: Timer | undefined;
  const runAgain = async (): Promise<void> => {
    state.isRunning = true;
    state.isWanted = false;
    const delayUs = await run(life.signal);
    state.isRunning = false;
    schedule(state.isWanted ? 0 : delayUs);
  };
  const schedule = (delayUs: number): void => {
    if (life.signal.aborted) return;
    timer = clock.schedule(delayUs, () => void runAgain());
  };
  return {
    start: schedule,
    soon: () => {
      state.isWanted = true;
      if (state.isRunning) return;
      timer?.cancel();
      schedule(0);
    },
    stop: () => {
      timer?.cancel();
      life.abort();
      life.close();
    },
  };
}
