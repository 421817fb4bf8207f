import { createHash } from 'node:crypto';

/** OCI content descriptor (image-spec, "Descriptor"), the fields that are used here. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string };
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Content that can be read from anywhere as often as wanted. Large ones are generated while they are read, and are never in memory whole. */
export interface TestBlob {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** The bytes in [start, end), in chunks of at most 256 KiB. */
  open(start: number, end: number): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export const chunkBytes = 256 * 1024;

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A blob of given bytes. */
export function bytesBlob(content: Uint8Array | string, mediaType: string): TestBlob {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return {
    digest: sha256(bytes),
    sizeBytes: bytes.byteLength,
    mediaType,
    open: (start, end) => slices(bytes, start, end),
  };
}

/** A blob of JSON, as it is written in a registry. */
export function jsonBlob(value: unknown, mediaType: string): TestBlob {
  return bytesBlob(JSON.stringify(value), mediaType);
}

export function descriptorOf(blob: TestBlob): Descriptor {
  return { mediaType: blob.mediaType, digest: blob.digest, size: blob.sizeBytes };
}

/** All bytes of a small blob. */
export async function readBlob(blob: TestBlob): Promise<Uint8Array> {
  const bytes = new Uint8Array(blob.sizeBytes);
  let at = 0;
  for await (const chunk of blob.open(0, blob.sizeBytes)) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function* slices(bytes: Uint8Array, start: number, end: number): Generator<Uint8Array> {
  for (let at = start; at < end; at += chunkBytes) yield bytes.subarray(at, Math.min(end, at + chunkBytes));
}
