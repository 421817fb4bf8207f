import { PeiliError } from '../errors.ts';
import type { Body, Digester } from '../ports/index.ts';
import { matchesDigest } from '../verification/digest.ts';

/**
 * Reads a manifest's body to its end and checks it against its digest: nothing of it leaves before (contract L8). Ends the body in any case.
 * Throws `MANIFEST_TOO_LARGE`, `DIGEST_MISMATCH`, or what the body throws.
 */
export async function readManifest(
  digester: Digester,
  body: Body,
  digest: string,
  maxBytes: number,
): Promise<Uint8Array> {
  try {
    const bytes = await readAll(body, maxBytes);
    if (!matchesDigest(digester, digest, bytes)) {
      throw new PeiliError('DIGEST_MISMATCH', 'the manifest does not match its digest', { digest });
    }
    return bytes;
  } finally {
    await body.return();
  }
}

async function readAll(body: Body, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await body.next();
    if (done === true) return concat(parts, length);
    length += value.byteLength;
    if (length > maxBytes)
      throw new PeiliError('MANIFEST_TOO_LARGE', 'more bytes than a manifest may have', { maxBytes });
    // Manifests are real bytes everywhere, in the simulator too; the chunk is borrowed, so it is copied.
    if (!(value instanceof Uint8Array)) throw new PeiliError('MANIFEST_TOO_LARGE', 'a blob was sent as a manifest');
    parts.push(value.slice());
  }
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}
