import { openScope } from '../../core/index.ts';
import type { Clock, Timer } from '../../core/index.ts';

/** Something done again and again, one run at a time. */
export interface RepeatingTask {
  start(delayUs: number): void;
  /** Ends it, aborting the run under way. Idempotent. */
  stop(): void;
}

/** `run` says how long to wait until the next run, and must not reject. */
export function createRepeatingTask(clock: Clock, run: (signal: AbortSignal) => Promise<number>): RepeatingTask {
  const life = openScope(new AbortController().signal);
  let timer: Timer | undefined;
  const runAgain = async (): Promise<void> => {
    schedule(await run(life.signal));
  };
  const schedule = (delayUs: number): void => {
    if (life.signal.aborted) return;
    timer = clock.schedule(delayUs, () => void runAgain());
  };
  return {
    start: schedule,
    stop: () => {
      timer?.cancel();
      life.abort();
      life.close();
    },
  };
}
