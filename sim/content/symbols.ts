import type { Chunk } from '../../core/index.ts';

/**
 * Bytes by name alone: those of blob `blob` in [offset, offset + byteLength). A terabyte costs nothing, and any byte that is another one is known,
 * with its place.
 */
export class SymbolChunk implements Chunk {
  readonly blob: number;
  readonly offset: number;
  readonly byteLength: number;
  readonly #wrongAt: number;
  readonly #loan: Loan | undefined;

  constructor(blob: number, offset: number, byteLength: number, wrongAt = -1, loan?: Loan) {
    this.blob = blob;
    this.offset = offset;
    this.byteLength = byteLength;
    this.#wrongAt = wrongAt;
    this.#loan = loan;
  }

  /** Offset in the blob of the one byte that is wrong; -1 when all are right. */
  get wrongAt(): number {
    return this.#loan?.isOver === true ? this.offset : this.#wrongAt;
  }

  subarray(start: number, end: number): SymbolChunk {
    const from = this.offset + start;
    const isWrong = this.#wrongAt >= from && this.#wrongAt < this.offset + end;
    return new SymbolChunk(this.blob, from, end - start, isWrong ? this.#wrongAt : -1, this.#loan);
  }

  /** These bytes with another one at this offset of the blob; the same where that is not among them. */
  withWrongByte(at: number): SymbolChunk {
    if (at < this.offset || at >= this.offset + this.byteLength) return this;
    return new SymbolChunk(this.blob, this.offset, this.byteLength, at, this.#loan);
  }

  /** A copy on loan, as real chunks are: when its time is over, it and all parts of it are wrong. */
  lend(loan: Loan): SymbolChunk {
    return new SymbolChunk(this.blob, this.offset, this.byteLength, this.wrongAt, loan);
  }

  /** As it is now, for good. */
  keep(): SymbolChunk {
    return this.#loan === undefined ? this : new SymbolChunk(this.blob, this.offset, this.byteLength, this.wrongAt);
  }
}

export interface Loan {
  isOver: boolean;
}

/** A copy that stays as it is, of a chunk that is lent. */
export function keepChunk(chunk: Chunk): Chunk {
  if (chunk instanceof SymbolChunk) return chunk.keep();
  return chunk instanceof Uint8Array ? chunk.slice() : chunk;
}
