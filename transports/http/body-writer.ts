import type { ServerResponse } from 'node:http';
import { errorCodeOf, onAbort } from '../../core/index.ts';
import type { Body } from '../../core/index.ts';

/**
 * How a body's writing ended. `complete`: all promised bytes; `cut`: the body failed or was short, the connection has to end with FIN;
 * `mismatch`: it has to end with RST (contract L2); `gone`: the connection ended under it.
 */
export type BodyEnd = 'complete' | 'cut' | 'mismatch' | 'gone';

/** What the writer needs of its connection. */
export interface WriteWatch {
  /** A chunk is about to be written: until `onWritten`, bytes wait for the client. */
  onWriting(release: () => void): void;
  onWritten(): void;
  /** Whether the connection has ended. */
  ended(): boolean;
}

export interface WrittenBody {
  readonly end: BodyEnd;
  readonly bytes: number;
  /** Why it was cut. */
  readonly reason?: unknown;
}

/**
 * Writes exactly `lengthBytes` bytes of `body` after the head. A chunk is borrowed: the next one is asked for in the write's callback.
 * The body is ended when this resolves. Never rejects.
 */
export async function writeBody(
  response: ServerResponse,
  body: Body,
  lengthBytes: number,
  watch: WriteWatch,
  signal: AbortSignal,
): Promise<WrittenBody> {
  let bytes = 0;
  // It ends a `next()` that hangs. The signal aborts when the kernel has let go of the chunk that was being written.
  const stopWatching = onAbort(signal, () => void body.return());
  try {
    for (;;) {
      if (watch.ended()) return await finish(body, { end: 'gone', bytes });
      const { done, value } = await body.next();
      if (watch.ended()) return await finish(body, { end: 'gone', bytes });
      if (done === true) break;
      if (!(value instanceof Uint8Array)) throw new TypeError('a body on the wire is made of bytes');
      if (bytes + value.byteLength > lengthBytes) throw new RangeError('a body is longer than its content-length');
      if (!(await writeChunk(response, value, watch))) return await finish(body, { end: 'gone', bytes });
      bytes += value.byteLength;
    }
  } catch (reason) {
    const end = watch.ended() ? 'gone' : errorCodeOf(reason) === 'DIGEST_MISMATCH' ? 'mismatch' : 'cut';
    return await finish(body, { end, bytes, reason });
  } finally {
    stopWatching();
  }
  if (bytes < lengthBytes)
    return { end: 'cut', bytes, reason: new RangeError('a body is shorter than its content-length') };
  return { end: 'complete', bytes };
}

async function finish(body: Body, written: WrittenBody): Promise<WrittenBody> {
  await body.return();
  return written;
}

/** False when the connection ended before the kernel had all bytes. */
function writeChunk(response: ServerResponse, bytes: Uint8Array, watch: WriteWatch): Promise<boolean> {
  return new Promise((resolve) => {
    response.write(bytes, (error) => {
      watch.onWritten();
      resolve(error === null || error === undefined);
    });
    // Not every write's callback comes when a connection ends; `release` then does its work.
    watch.onWriting(() => {
      resolve(false);
    });
  });
}
