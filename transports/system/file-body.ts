import type { FileHandle } from 'node:fs/promises';
import { abortedError, abortReason, onAbort, PeiliError } from '../../core/index.ts';
import type { Body, Chunk } from '../../core/index.ts';
import type { BufferLease } from './buffer-pool.ts';

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

const done: IteratorResult<Chunk, undefined> = { done: true, value: undefined };

/**
 * Reads a file in order into two buffers by turns, one read ahead: while one buffer is consumed, the other fills.
 * `next()` rejects with `STORE_FAILED` when the file cannot be read or is shorter than `end`.
 */
export function createFileBody({ handle, lease, start, end, signal, onReleased }: FileBodyOptions): Body {
  const state: {
    offset: number;
    slot: number;
    ahead: Promise<Uint8Array> | undefined;
    ended: PeiliError | 'done' | undefined;
  } = {
    offset: start,
    slot: 0,
    ahead: undefined,
    ended: undefined,
  };
  let rejectPending: ((reason: PeiliError) => void) | undefined;
  let unhook = (): void => undefined;

  const readAhead = async (): Promise<Uint8Array> => {
    const buffer = lease.buffer(state.slot);
    state.slot = 1 - state.slot;
    const wanted = Math.min(buffer.byteLength, end - state.offset);
    const bytesRead = await readSome(handle, buffer, wanted, state.offset);
    state.offset += bytesRead;
    return buffer.subarray(0, bytesRead);
  };

  const startReading = (): Promise<Uint8Array> => {
    const reading = readAhead();
    // Whoever calls next() sees the failure; until then it is nobody's.
    reading.catch(() => undefined);
    state.ahead = reading;
    return reading;
  };

  const finish = (reason: PeiliError | 'done'): void => {
    if (state.ended !== undefined) return;
    state.ended = reason;
    unhook();
    if (reason !== 'done') rejectPending?.(reason);
    rejectPending = undefined;
    // The kernel may still be writing into a buffer: only when its read has settled may another body have it.
    void (state.ahead ?? Promise.resolve())
      .catch(() => undefined)
      .then(async () => {
        lease.release();
        await handle.close().catch(() => undefined);
        onReleased();
      });
  };

  const take = async (): Promise<IteratorResult<Chunk, undefined>> => {
    const value = await (state.ahead ?? startReading());
    if (state.ended !== undefined) return done;
    state.ahead = undefined;
    if (state.offset < end) void startReading();
    return { done: false, value };
  };

  const next = (): Promise<IteratorResult<Chunk, undefined>> => {
    if (state.ended !== undefined) return state.ended === 'done' ? Promise.resolve(done) : Promise.reject(state.ended);
    if (state.ahead === undefined && state.offset >= end) {
      finish('done');
      return Promise.resolve(done);
    }
    return new Promise((resolve, reject) => {
      rejectPending = reject;
      take().then(
        (result) => {
          rejectPending = undefined;
          resolve(result);
        },
        (cause: unknown) => {
          finish(new PeiliError('STORE_FAILED', 'reading the content failed', { offset: state.offset, end }, cause));
        },
      );
    });
  };

  unhook = onAbort(signal, () => {
    finish(abortReason(signal));
  });

  return {
    next,
    return: () => {
      finish(abortedError());
      return Promise.resolve(done);
    },
  };
}

async function readSome(handle: FileHandle, buffer: Uint8Array, wanted: number, offset: number): Promise<number> {
  const { bytesRead } = await handle.read(buffer, 0, wanted, offset);
  if (bytesRead === 0) throw new Error(`the file ends at byte ${String(offset)}`);
  return bytesRead;
}
