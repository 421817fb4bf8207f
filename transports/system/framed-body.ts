import { abortedError, abortReason, onAbort } from '../../core/index.ts';
import type { Body, Chunk, PeiliError } from '../../core/index.ts';

export interface BodySource {
  /** The next chunk, undefined at the clean end. Not called while it is pending, nor after the end. */
  take(): Promise<Chunk | undefined>;
  /** What a failure of `take()` becomes for the reader. */
  failure(cause: unknown): PeiliError;
  /** Called once, as soon as the body has ended in whatever way; a `take()` may still be pending then, and is nobody's. */
  release(): void;
}

const done: IteratorResult<Chunk, undefined> = { done: true, value: undefined };

/**
 * A body around a source: `return()` and the signal end it at once, and a pending `next()` then rejects, whatever its source does.
 * After a failure or an abort every further `next()` rejects with the same reason, so that it is never taken for a clean end.
 */
export function createFramedBody(source: BodySource, signal: AbortSignal): Body {
  const state: { ended: PeiliError | 'done' | undefined; rejectPending: ((reason: PeiliError) => void) | undefined } = {
    ended: undefined,
    rejectPending: undefined,
  };
  let unhook = (): void => undefined;

  const finish = (reason: PeiliError | 'done'): void => {
    if (state.ended !== undefined) return;
    state.ended = reason;
    unhook();
    if (reason !== 'done') state.rejectPending?.(reason);
    state.rejectPending = undefined;
    source.release();
  };
  unhook = onAbort(signal, () => {
    finish(abortReason(signal));
  });

  const next = (): Promise<IteratorResult<Chunk, undefined>> => {
    if (state.ended !== undefined) return state.ended === 'done' ? Promise.resolve(done) : Promise.reject(state.ended);
    return new Promise((resolve, reject) => {
      state.rejectPending = reject;
      source.take().then(
        (value) => {
          state.rejectPending = undefined;
          if (value === undefined) finish('done');
          resolve(value === undefined ? done : { done: false, value });
        },
        (cause: unknown) => {
          finish(source.failure(cause));
        },
      );
    });
  };

  return {
    next,
    return: () => {
      finish(abortedError());
      return Promise.resolve(done);
    },
  };
}
