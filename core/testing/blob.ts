import { createHash } from 'node:crypto';

/** Content whose every byte is a function of (seed, offset). */
export interface TestBlob {
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
}

export function byteAt(seed: number, offset: number): number {
  return (Math.imul(offset ^ (seed << 8), 0x9e3779b1) >>> 13) & 0xff;
}

export function testBlob(sizeBytes: number, seed = 1): TestBlob {
  return blobOf(Uint8Array.from({ length: sizeBytes }, (_, offset) => byteAt(seed, offset)));
}

/** Any bytes as content. */
export function blobOf(bytes: Uint8Array): TestBlob {
  return { bytes, sizeBytes: bytes.byteLength, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/** A manifest as content. */
export function manifestOf(manifest: object): TestBlob {
  return blobOf(new TextEncoder().encode(JSON.stringify(manifest)));
}
