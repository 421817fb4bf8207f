import type { Chunk } from '../../core/index.ts';
import { SymbolChunk } from '../content/symbols.ts';

/** The chunk with another byte at this place. */
export function withWrongByte(chunk: Chunk, distance: number): Chunk {
  if (chunk instanceof SymbolChunk) return chunk.withWrongByte(chunk.offset + distance);
  if (!(chunk instanceof Uint8Array)) return chunk;
  const copy = chunk.slice();
  copy[distance] = (copy[distance] ?? 0) ^ 0xff;
  return copy;
}

/** Bytes that are no content's. */
export function paddingChunk(sizeBytes: number): Chunk {
  return new SymbolChunk(-1, 0, sizeBytes, 0);
}
