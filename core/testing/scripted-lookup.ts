import { abortReason, onAbort } from '../abort.ts';
import type { Clock, Holder } from '../ports/index.ts';
import type { Lookup } from '../relay/live-sources.ts';

/** A holder as a lookup tells it, so long after the lookup began; those of one moment come in one answer. */
export interface TimedHolder extends Holder {
  /** @default 0 */
  readonly afterUs?: number;
}

export interface ScriptedLookup extends Lookup {
  /** Who is said to hold everything from now on, and how long a lookup lasts, microseconds. */
  set(holders: readonly TimedHolder[], tookUs?: number): void;
  readonly keys: readonly string[];
  pending(): number;
}

/** Lookups with answers by script. One that is not over is counted. */
export function createScriptedLookup(clock: Clock): ScriptedLookup {
  const state: { holders: readonly TimedHolder[]; tookUs: number; pending: number } = {
    holders: [],
    tookUs: 2_000,
    pending: 0,
  };
  const keys: string[] = [];
  return {
    keys,
    pending: () => state.pending,
    set: (holders, tookUs = 2_000) => {
      state.holders = holders;
      state.tookUs = tookUs;
    },
    lookup: (key, onHolders, signal) => {
      keys.push(key);
      if (signal.aborted) return Promise.reject(abortReason(signal));
      state.pending += 1;
      const { holders, tookUs } = state;
      return new Promise((resolve, reject) => {
        const moments = new Set(holders.map(({ afterUs }) => afterUs ?? 0));
        const timers = [...moments].map((atUs) =>
          clock.schedule(atUs, () => {
            onHolders(holders.filter(({ afterUs }) => (afterUs ?? 0) === atUs));
          }),
        );
        const end = clock.schedule(Math.max(tookUs, ...holders.map(({ afterUs }) => afterUs ?? 0)), () => {
          state.pending -= 1;
          letGo();
          resolve(holders.length === 0 ? 'nobody' : 'found');
        });
        const letGo = onAbort(signal, () => {
          state.pending -= 1;
          for (const timer of [end, ...timers]) timer.cancel();
          reject(abortReason(signal));
        });
      });
    },
  };
}
