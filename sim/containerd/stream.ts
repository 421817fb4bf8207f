import type { Body, Chunk } from '../../core/index.ts';
import { isReset } from '../network/wire-body.ts';

/**
 * How a stream of bytes ended. `clean`: its sender said that this was all; `fin`: the connection was closed before (io.ErrUnexpectedEOF); `rst`: it was
 * reset, or the network said something else; `cancelled`: this side gave it up ("context canceled").
 */
export type StreamEnd = 'clean' | 'fin' | 'rst' | 'cancelled';

/** The bytes of a blob as they come, whether over one connection or several. */
export interface BlobStream {
  /** Chunks are valid until the next call. */
  next(): Promise<Chunk | StreamEnd>;
  /** Lets go of all its connections. */
  close(): void;
}

export function streamOf(body: Body, signal: AbortSignal): BlobStream {
  const onStep = ({ done, value }: IteratorResult<Chunk, undefined>): Chunk | StreamEnd =>
    done === true ? 'clean' : value;
  const onFailure = (cause: unknown): StreamEnd => {
    if (signal.aborted) return 'cancelled';
    return isReset(cause) ? 'rst' : 'fin';
  };
  return { next: () => body.next().then(onStep, onFailure), close: () => void body.return() };
}

/** A stream that has been at its end all the time. */
export const endedStream: BlobStream = Object.freeze({
  next: () => Promise.resolve<StreamEnd>('clean'),
  close: () => undefined,
});

/** Reads and drops `bytes` of the stream, then gives what is left of it; how it ended if it did before. */
export async function skip(stream: BlobStream, bytes: number): Promise<BlobStream | StreamEnd> {
  let left = bytes;
  while (left > 0) {
    const step = await stream.next();
    if (typeof step === 'string') return step;
    if (step.byteLength > left) return prefixed(step.subarray(left, step.byteLength), stream);
    left -= step.byteLength;
  }
  return stream;
}

function prefixed(first: Chunk, stream: BlobStream): BlobStream {
  let chunk: Chunk | undefined = first;
  return {
    next: () => {
      const step = chunk;
      chunk = undefined;
      return step === undefined ? stream.next() : Promise.resolve(step);
    },
    close: () => {
      stream.close();
    },
  };
}
