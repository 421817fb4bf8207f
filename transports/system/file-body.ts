import type { FileHandle } from 'node:fs/promises';
import { PeiliError } from '../../core/index.ts';
import type { Body } from '../../core/index.ts';
import type { BufferLease } from './buffer-pool.ts';
import { createFramedBody } from './framed-body.ts';

export interface FileBodyOptions {
  /** Open for reading; the body closes it. */
  readonly handle: FileHandle;
  /** Two buffers; the body gives them back. */
  readonly lease: BufferLease;
  /** Bytes [start, end) of the file. */
  readonly start: number;
  readonly end: number;
  readonly signal: AbortSignal;
  /** Called once, when the file and the buffers have been let go. */
  readonly onReleased: () => void;
}

/**
 * Reads a file in order into two buffers by turns, one read ahead: while one buffer is consumed, the other fills.
 * `next()` rejects with `STORE_FAILED` when the file cannot be read or is shorter than `end`.
 */
export function createFileBody({ handle, lease, start, end, signal, onReleased }: FileBodyOptions): Body {
  const state: { offset: number; slot: number; ahead: Promise<Uint8Array> | undefined; released: boolean } = {
    offset: start,
    slot: 0,
    ahead: undefined,
    released: false,
  };

  const read = async (): Promise<Uint8Array> => {
    const buffer = lease.buffer(state.slot);
    state.slot = 1 - state.slot;
    const wanted = Math.min(buffer.byteLength, end - state.offset);
    const { bytesRead } = await handle.read(buffer, 0, wanted, state.offset);
    if (bytesRead === 0) throw new Error(`the file ends at byte ${state.offset}`);
    state.offset += bytesRead;
    return buffer.subarray(0, bytesRead);
  };

  const startReading = (): Promise<Uint8Array> => {
    const reading = read();
    // Whoever calls next() sees the failure; until then it is nobody's.
    reading.catch(() => undefined);
    state.ahead = reading;
    return reading;
  };

  const letGo = async (): Promise<void> => {
    // The kernel may still be writing into a buffer: only when its read has settled may another body have it.
    await state.ahead?.catch(() => undefined);
    lease.release();
    await handle.close().catch(() => undefined);
    onReleased();
  };

  return createFramedBody(
    {
      take: async () => {
        if (state.ahead === undefined && state.offset >= end) return undefined;
        const bytes = await (state.ahead ?? startReading());
        if (state.released) return undefined;
        state.ahead = undefined;
        if (state.offset < end) void startReading();
        return bytes;
      },
      failure: (cause) =>
        new PeiliError('STORE_FAILED', 'reading the content failed', { offset: state.offset, end }, cause),
      release: () => {
        state.released = true;
        void letGo();
      },
    },
    signal,
  );
}
