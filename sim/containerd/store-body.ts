import { abortReason, onAbort, PeiliError } from '../../core/index.ts';
import type { Body, Chunk } from '../../core/index.ts';

/** What a body reads from: what its file is at the moment of each read. */
export interface StoreFile {
  /** The bytes in [start, end); throws `STORE_FAILED` when they cannot be read. */
  read(start: number, end: number): Chunk;
  /** Undefined: the bytes are there at once. */
  wait(start: number, end: number): Promise<void> | undefined;
}

export interface StoreBodyOptions {
  readonly file: StoreFile;
  readonly start: number;
  readonly end: number;
  /** Read in one step. */
  readonly chunkBytes: number;
  readonly signal: AbortSignal;
  readonly onEnded: () => void;
}

const done: IteratorResult<Chunk, undefined> = { done: true, value: undefined };

/** A part of a file, in steps. While one is carried away, the next one is read ahead. */
export class StoreBody implements Body {
  readonly #options: StoreBodyOptions;
  readonly #unhook: () => void;
  #offset: number;
  /** Until when the file has been read ahead, and when that is done. */
  #aheadTo: number;
  #ahead: Promise<void> | undefined;
  #reject: ((reason: PeiliError) => void) | undefined;
  #end: PeiliError | 'done' | undefined;

  constructor(options: StoreBodyOptions) {
    this.#options = options;
    this.#offset = options.start;
    this.#aheadTo = options.start;
    this.#readAhead();
    this.#unhook = onAbort(options.signal, () => {
      this.#finish(abortReason(options.signal));
    });
  }

  next(): Promise<IteratorResult<Chunk, undefined>> {
    const { end } = this.#options;
    if (this.#end === 'done') return Promise.resolve(done);
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (this.#offset === end) {
      this.#finish('done');
      return Promise.resolve(done);
    }
    const ahead = this.#ahead;
    if (ahead === undefined) return this.#step();
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      void ahead.then(() => {
        this.#reject = undefined;
        if (this.#end === undefined) this.#step().then(resolve, reject);
      });
    });
  }

  return(): Promise<IteratorResult<Chunk, undefined>> {
    this.#finish('done');
    return Promise.resolve(done);
  }

  #step(): Promise<IteratorResult<Chunk, undefined>> {
    const [start, end] = [this.#offset, this.#aheadTo];
    try {
      const value = this.#options.file.read(start, end);
      this.#offset = end;
      this.#readAhead();
      return Promise.resolve({ done: false, value });
    } catch (cause) {
      const reason =
        cause instanceof PeiliError ? cause : new PeiliError('STORE_FAILED', 'it cannot be read', {}, cause);
      this.#finish(reason);
      return Promise.reject(reason);
    }
  }

  #readAhead(): void {
    const { chunkBytes, end, file } = this.#options;
    const from = this.#aheadTo;
    this.#aheadTo = Math.min(end, from + chunkBytes);
    this.#ahead = this.#aheadTo === from ? undefined : file.wait(from, this.#aheadTo);
  }

  #finish(end: PeiliError | 'done'): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#unhook?.();
    this.#options.onEnded();
    this.#reject?.(end === 'done' ? abortReason(this.#options.signal) : end);
    this.#reject = undefined;
  }
}
