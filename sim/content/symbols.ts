import type { Chunk } from '../../core/index.ts';

/**
 * Bytes by name alone: those of blob `blob` in [offset, offset + byteLength). A terabyte costs nothing, and any byte that is another one is known,
 * with its place.
 */
export class SymbolChunk implements Chunk {
  readonly blob: number;
  readonly offset: number;
  readonly byteLength: number;
  /** Offset in the blob of the one byte that is wrong; -1 when all are right. */
  readonly wrongAt: number;

  constructor(blob: number, offset: number, byteLength: number, wrongAt = -1) {
    this.blob = blob;
    this.offset = offset;
    this.byteLength = byteLength;
    this.wrongAt = wrongAt;
  }

  subarray(start: number, end: number): SymbolChunk {
    const from = this.offset + start;
    const isWrong = this.wrongAt >= from && this.wrongAt < this.offset + end;
    return new SymbolChunk(this.blob, from, end - start, isWrong ? this.wrongAt : -1);
  }

  /** These bytes with another one at this offset of the blob; the same where that is not among them. */
  withWrongByte(at: number): SymbolChunk {
    if (at < this.offset || at >= this.offset + this.byteLength) return this;
    return new SymbolChunk(this.blob, this.offset, this.byteLength, at);
  }
}

/** A copy that stays as it is, of a chunk that is lent. */
export function keepChunk(chunk: Chunk): Chunk {
  return chunk instanceof Uint8Array ? chunk.slice() : chunk;
}
