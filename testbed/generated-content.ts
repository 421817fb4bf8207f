import { createCipheriv, createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { chunkBytes } from './blob.ts';
import type { TestBlob } from './blob.ts';

/** A run of bytes that can be made at any offset. */
export interface Part {
  readonly sizeBytes: number;
  /** The bytes in [start, end) of this part, at most `chunkBytes` of them. */
  bytes(start: number, end: number): Uint8Array;
}

/** Bytes that look random, do not compress, and are the same for the same seed: AES-128-CTR over zeros, which can start at any block. */
export function randomPart(seed: string, sizeBytes: number): Part {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return {
    sizeBytes,
    bytes: (start, end) => {
      const skip = start % 16;
      const counter = Buffer.alloc(16);
      counter.writeBigUInt64BE(BigInt((start - skip) / 16), 8);
      return createCipheriv('aes-128-ctr', key, counter)
        .update(Buffer.alloc(end - start + skip))
        .subarray(skip);
    },
  };
}

export function zeroPart(sizeBytes: number): Part {
  return { sizeBytes, bytes: (start, end) => new Uint8Array(end - start) };
}

export function bytesPart(bytes: Uint8Array): Part {
  return { sizeBytes: bytes.byteLength, bytes: (start, end) => bytes.subarray(start, end) };
}

/** A blob made of parts. Reads them all once for the digest, giving way to others in between. */
export async function createGeneratedBlob(parts: readonly Part[], mediaType: string): Promise<TestBlob> {
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const open = (start: number, end: number): Iterable<Uint8Array> => readParts(parts, start, end);
  const hash = createHash('sha256');
  let chunks = 0;
  for (const chunk of open(0, sizeBytes)) {
    hash.update(chunk);
    chunks += 1;
    if (chunks % 16 === 0) await nextTurn();
  }
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes, mediaType, open };
}

function* readParts(parts: readonly Part[], start: number, end: number): Generator<Uint8Array> {
  let partStart = 0;
  for (const part of parts) {
    const to = Math.min(end - partStart, part.sizeBytes);
    for (let at = Math.max(0, start - partStart); at < to; at += chunkBytes) {
      yield part.bytes(at, Math.min(to, at + chunkBytes));
    }
    partStart += part.sizeBytes;
  }
}
