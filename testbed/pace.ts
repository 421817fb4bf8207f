import { setTimeout as sleep } from 'node:timers/promises';

/** Holds bytes back: to a rate, or altogether. Shared by all bodies of one server, as a link would be. */
export interface Pace {
  /** Resolves when so many bytes may go. Rejects when the signal aborts. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
  /** Bytes a second; undefined: as fast as they go. */
  limit(bytesPerSecond: number | undefined): void;
  /** No byte from here on until `go`. */
  stop(): void;
  go(): void;
  /** The most bytes that should be taken at once, so that a rate is smooth. */
  grain(): number;
}

export function createPace(bytesPerSecond?: number): Pace {
  const state: { rate: number | undefined; freeAtMs: number; gate: PromiseWithResolvers<void> | undefined } = {
    rate: bytesPerSecond,
    freeAtMs: 0,
    gate: undefined,
  };
  return {
    take: async (bytes, signal) => {
      while (state.gate !== undefined) await orAbort(state.gate.promise, signal);
      if (state.rate === undefined) return;
      const nowMs = performance.now();
      const startMs = Math.max(nowMs, state.freeAtMs);
      state.freeAtMs = startMs + (bytes / state.rate) * 1000;
      if (state.freeAtMs > nowMs) await sleep(state.freeAtMs - nowMs, undefined, { signal });
    },
    limit: (rate) => {
      state.rate = rate;
      state.freeAtMs = 0;
    },
    stop: () => {
      state.gate ??= Promise.withResolvers<void>();
    },
    go: () => {
      state.gate?.resolve();
      state.gate = undefined;
    },
    grain: () => (state.rate === undefined ? Infinity : Math.max(1, Math.ceil(state.rate / 50))),
  };
}

/** The promise's result, or a rejection when the signal aborts first. */
async function orAbort(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    aborted.reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
