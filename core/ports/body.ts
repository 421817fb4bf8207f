/**
 * A run of bytes. A `Uint8Array` in production, symbols in the simulator: the core moves chunks, it never reads a blob's bytes.
 *
 * A chunk is BORROWED from the body that gave it: it is valid until the next `next()` or `return()` of that body.
 * Who needs its bytes longer copies them.
 */
export interface Chunk {
  readonly byteLength: number;
  /** The bytes in [start, end) of this chunk, without copying. */
  subarray(start: number, end: number): Chunk;
}

/**
 * The bytes of an answer, in order. A hand-written async iterator (an async generator's `return()` does not settle while its `next()` hangs).
 *
 * - One `next()` at a time.
 * - `next()` rejects when the source fails; after that and after `done` the body holds nothing.
 * - `return()` releases everything at once, and makes a pending `next()` reject with the code `ABORTED`. Idempotent, never hangs, never rejects.
 * - Aborting the signal that the body was opened with is the same as `return()`.
 */
export interface Body {
  next(): Promise<IteratorResult<Chunk, undefined>>;
  return(): Promise<IteratorResult<Chunk, undefined>>;
}
