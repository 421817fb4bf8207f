import { openScope } from '../../core/index.ts';
import type { Body, Chunk, Scope } from '../../core/index.ts';
import { keepChunk } from '../content/symbols.ts';
import { streamOf } from './stream.ts';
import type { BlobStream, StreamEnd } from './stream.ts';

export interface ParallelStreamOptions {
  /** The body of the first request, from `offset` on. */
  readonly first: Body;
  readonly offset: number;
  /** What the first answer promised. */
  readonly sizeBytes: number;
  readonly partBytes: number;
  readonly partsAtOnce: number;
  /** Asks the same host for all from here on; `failed`: it answered with an error, or not at all. */
  readonly ask: (offset: number, signal: AbortSignal) => Promise<Body | 'failed'>;
  readonly signal: AbortSignal;
}

/** One part on its way. */
class Part {
  readonly chunks: Chunk[] = [];
  /** `failed`: an answer that is an error. */
  end: StreamEnd | 'failed' | undefined;
  #wake: (() => void) | undefined;

  arrived(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  add(chunk: Chunk): void {
    this.chunks.push(chunk);
    this.#wake?.();
  }

  finish(end: StreamEnd | 'failed'): void {
    this.end = end;
    this.#wake?.();
  }
}

/**
 * A blob in parts that come side by side, all from the host that answered the first request (`open` in core/remotes/docker/fetcher.go): each is asked for with an
 * open end and hung up after its own bytes. The first error of a part cancels all others: if an earlier one is still on its way, that is what the
 * reader meets, and the pull is over.
 */
export class ParallelStream implements BlobStream {
  readonly #options: ParallelStreamOptions;
  readonly #scope: Scope;
  readonly #parts: readonly Part[];
  #begun = 0;
  #reading = 0;

  constructor(options: ParallelStreamOptions) {
    this.#options = options;
    const { partBytes, partsAtOnce, sizeBytes, signal } = options;
    this.#scope = openScope(signal);
    this.#parts = Array.from({ length: Math.ceil(sizeBytes / partBytes) }, () => new Part());
    for (let worker = 0; worker < Math.min(partsAtOnce, this.#parts.length); worker += 1) void this.#work();
  }

  async next(): Promise<Chunk | StreamEnd> {
    for (;;) {
      const part = this.#parts[this.#reading];
      if (part === undefined) return 'clean';
      const chunk = part.chunks.shift();
      if (chunk !== undefined) return chunk;
      if (part.end === undefined) await part.arrived();
      else if (part.end === 'clean') this.#reading += 1;
      else return part.end === 'failed' ? 'cancelled' : part.end;
    }
  }

  close(): void {
    this.#scope.abort();
    this.#scope.close();
  }

  async #work(): Promise<void> {
    for (;;) {
      const index = this.#begun;
      const part = this.#parts[index];
      if (part === undefined) return;
      this.#begun += 1;
      await this.#fetch(index, part);
      if (part.end === 'clean') continue;
      this.#scope.abort();
      return;
    }
  }

  async #fetch(index: number, part: Part): Promise<void> {
    const { first, ask, offset, partBytes } = this.#options;
    const { signal } = this.#scope;
    // Whoever waits for a turn to ask when all is called off is told so.
    const body = index === 0 ? first : await ask(offset + index * partBytes, signal).catch(() => 'failed' as const);
    if (body === 'failed') {
      part.finish(signal.aborted ? 'cancelled' : 'failed');
      return;
    }
    const stream = streamOf(body, signal);
    const unhook = this.#closeOnAbort(stream);
    let left = partBytes;
    while (left > 0) {
      const step = await stream.next();
      if (typeof step === 'string') {
        part.finish(step);
        break;
      }
      const chunk = step.byteLength > left ? step.subarray(0, left) : step;
      left -= chunk.byteLength;
      part.add(keepChunk(chunk));
    }
    unhook();
    stream.close();
    if (part.end === undefined) part.finish('clean');
  }

  /** The first body was opened before this scope was. */
  #closeOnAbort(stream: BlobStream): () => void {
    const { signal } = this.#scope;
    const close = (): void => {
      stream.close();
    };
    signal.addEventListener('abort', close, { once: true });
    return () => {
      signal.removeEventListener('abort', close);
    };
  }
}
