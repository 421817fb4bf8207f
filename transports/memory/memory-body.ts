import { abortedError, abortReason, onAbort, PeiliError } from '../../core/index.ts';
import type { Body, Chunk } from '../../core/index.ts';

export interface MemoryBodyOptions {
  /** The content as it is now: it may have been shortened or removed since. */
  readonly current: () => Uint8Array | undefined;
  readonly start: number;
  readonly end: number;
  readonly chunkBytes: number;
  readonly signal: AbortSignal;
  /** Called once, when the body holds nothing any more. */
  readonly onEnded: () => void;
}

const done: IteratorResult<Chunk, undefined> = { done: true, value: undefined };

/** Lends content that is in memory, chunk by chunk, without copying. */
export function createMemoryBody({ current, start, end, chunkBytes, signal, onEnded }: MemoryBodyOptions): Body {
  const state: { offset: number; ended: PeiliError | 'done' | undefined } = { offset: start, ended: undefined };
  let unhook = (): void => undefined;
  const finish = (reason: PeiliError | 'done'): void => {
    if (state.ended !== undefined) return;
    state.ended = reason;
    unhook();
    onEnded();
  };
  unhook = onAbort(signal, () => {
    finish(abortReason(signal));
  });

  const take = (): Chunk | undefined => {
    const bytes = current();
    const to = Math.min(state.offset + chunkBytes, end);
    if (bytes === undefined || bytes.byteLength < to) {
      finish(new PeiliError('STORE_FAILED', 'the content is shorter than promised', { offset: state.offset, end }));
      return undefined;
    }
    const chunk = bytes.subarray(state.offset, to);
    state.offset = to;
    return chunk;
  };

  return {
    next: () => {
      if (state.ended === undefined && state.offset === end) finish('done');
      const chunk = state.ended === undefined ? take() : undefined;
      if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk });
      return state.ended === undefined || state.ended === 'done' ? Promise.resolve(done) : Promise.reject(state.ended);
    },
    return: () => {
      finish(abortedError());
      return Promise.resolve(done);
    },
  };
}
