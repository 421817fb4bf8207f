import { PeiliError } from '../../core/index.ts';
import type { Body } from '../../core/index.ts';
import { createFramedBody } from '../system/framed-body.ts';

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

/** Lends content that is in memory, chunk by chunk, without copying. */
export function createMemoryBody({ current, start, end, chunkBytes, signal, onEnded }: MemoryBodyOptions): Body {
  const state = { offset: start };
  return createFramedBody(
    {
      take: async () => {
        if (state.offset >= end) return undefined;
        const bytes = current();
        const from = state.offset;
        const to = Math.min(from + chunkBytes, end);
        if (bytes === undefined || bytes.byteLength < to) throw new Error('the content has become shorter');
        state.offset = to;
        return bytes.subarray(from, to);
      },
      failure: (cause) =>
        new PeiliError('STORE_FAILED', 'the content is shorter than promised', { offset: state.offset, end }, cause),
      release: onEnded,
    },
    signal,
  );
}
