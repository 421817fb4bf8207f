import { setTimeout as sleep } from 'node:timers/promises';

/** After a rendering comes at least so many times its own duration of rest. */
const restPerRendering = 9;

export interface PacedRenderingDeps<T> {
  /** What is to be shown; waiting for it costs the main thread nothing. */
  readonly gather: () => Promise<T>;
  /** Holds the main thread. */
  readonly render: (gathered: T) => Uint8Array;
  /** Monotonic, microseconds. */
  readonly nowUs: () => number;
}

/**
 * Renders once for all who wait, and rests in between: whoever asks for a large page again and again gets a tenth of the main thread, which pulls need.
 * What is rendered was gathered after the call.
 */
export function createPacedRendering<T>({ gather, render, nowUs }: PacedRenderingDeps<T>): () => Promise<Uint8Array> {
  const state: { running: Promise<unknown>; next: Promise<Uint8Array> | undefined; freeAtUs: number } = {
    running: Promise.resolve(),
    next: undefined,
    freeAtUs: 0,
  };
  const make = async (): Promise<Uint8Array> => {
    const gathered = await gather();
    const beganUs = nowUs();
    const rendered = render(gathered);
    const endUs = nowUs();
    state.freeAtUs = endUs + (endUs - beganUs) * restPerRendering;
    return rendered;
  };
  const begin = async (): Promise<Uint8Array> => {
    await state.running;
    const restUs = state.freeAtUs - nowUs();
    if (restUs > 0) await sleep(restUs / 1000, undefined, { ref: false });
    state.next = undefined; // Who comes from here on is told what comes from here on.
    const made = make();
    state.running = made.catch(() => undefined);
    return made;
  };
  return () => (state.next ??= begin());
}
