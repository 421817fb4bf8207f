import process from 'node:process';

/** How promises get their turn between two events: `immediate` goes through the event loop, `tick` calls Node's own queue at once. */
export type DrainStrategy = 'immediate' | 'tick';

/** Lets every promise that can settle do so, by way of the event loop. */
export function drainByImmediate(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Calls back from the event loop: outside of any microtask, where signals and messages have had their turn. Rejects with what it throws. */
export function onNextTurn(callback: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        callback();
        resolve();
      } catch (cause) {
        reject(cause);
      }
    });
  });
}

interface TickingProcess {
  /** Deprecated in Node's documentation (DEP0134), and what its own event loop calls after each callback. */
  readonly _tickCallback?: () => void;
}

/** Runs all of Node's microtasks now. Works outside of a microtask only. */
export function drainByTick(): void {
  const { _tickCallback: tick } = process as unknown as TickingProcess;
  if (tick === undefined) throw new Error("this Node has no process._tickCallback: use the drain 'immediate'");
  tick.call(process);
}
