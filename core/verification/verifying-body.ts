import { PeiliError } from '../errors.ts';
import type { Body, Chunk, Digester, DigestStream } from '../ports/index.ts';
import { algorithmOf } from './digest.ts';

/**
 * Hashes a whole body as it passes. The last chunk is held back until the digest is known: on a mismatch it rejects with `DIGEST_MISMATCH` instead,
 * so that a client never has all the bytes of a wrong body.
 */
export function createVerifyingBody(
  digester: Digester,
  inner: Body,
  digest: string,
  sizeBytes: number,
  onMismatch: () => void,
): Body {
  const stream: DigestStream = digester.stream(algorithmOf(digest));
  const progress = { bytes: 0, hashed: Promise.resolve() };

  const end = async (): Promise<IteratorResult<Chunk, undefined>> => {
    stream.cancel();
    return inner.return();
  };

  return {
    return: end,
    next: async () => {
      // The chunk before is borrowed until it has been hashed.
      await progress.hashed;
      const result = await inner.next();
      if (result.done === true) {
        stream.cancel();
        return result;
      }
      progress.bytes += result.value.byteLength;
      progress.hashed = stream.update(result.value);
      if (progress.bytes < sizeBytes) return result;
      await progress.hashed;
      const actual = await stream.finish();
      if (actual === digest) return result;
      onMismatch();
      await end();
      throw new PeiliError('DIGEST_MISMATCH', 'the bytes do not match their digest', { digest, actual });
    },
  };
}
