import process from 'node:process';

/** How promises get their turn between two events: `immediate` goes through the event loop, `tick` calls Node's own queue at once. */
export type DrainStrategy = 'immediate' | 'tick';

/** As it was before any guard stood in front of it. */
const realSetImmediate = setImmediate;
const realNextTick = process.nextTick;

/** Lets every promise that can settle do so, by way of the event loop. */
export function drainByImmediate(): Promise<void> {
  return new Promise((resolve) => {
    realSetImmediate(resolve);
  });
}

/** Calls back when no promise is left that can settle, before anything else of this process has its turn. Works inside of a microtask only. */
export function afterMicrotasks(callback: () => void): void {
  realNextTick(callback);
}

/** Calls back from the event loop: outside of any microtask, where signals and messages have had their turn. Rejects with what it throws. */
export function onNextTurn(callback: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    realSetImmediate(() => {
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

/** What runs all of Node's microtasks at once. Works outside of a microtask only. */
export function createTick(): () => void {
  const { _tickCallback: tick } = process as unknown as TickingProcess;
  if (tick === undefined) throw new Error("this Node has no process._tickCallback: use the drain 'immediate'");
  return tick;
}
