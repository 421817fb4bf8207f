import { abortedError } from '../abort.ts';
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
  const state = { bytes: 0, hashed: Promise.resolve(), isJudged: false, isOver: false };

  const end = (): Promise<IteratorResult<Chunk, undefined>> => {
    state.isOver = true;
    stream.cancel();
    return inner.return();
  };
  const judge = async (): Promise<void> => {
    state.isJudged = true;
    await state.hashed;
    const actual = await stream.finish();
    if (actual === digest) return;
    onMismatch();
    await end();
    throw new PeiliError('DIGEST_MISMATCH', 'the bytes do not match their digest', { digest, actual });
  };

  return {
    return: end,
    next: async () => {
      // The chunk before is borrowed until it has been hashed.
      await state.hashed;
      if (state.isOver) throw abortedError();
      const result = await inner.next();
      if (result.done !== true) {
        state.bytes += result.value.byteLength;
        state.hashed = stream.update(result.value);
        state.hashed.catch(() => undefined); // Seen by the next call; there is none when the client hangs up.
      }
      if (state.bytes === sizeBytes && !state.isJudged) await judge();
      if (result.done === true) stream.cancel();
      return result;
    },
  };
}
