import { abortedError, onAbort } from '../abort.ts';
import { PeiliError } from '../errors.ts';
import type { Body, Chunk, Digester } from '../ports/index.ts';
import { algorithmOf } from './digest.ts';

export interface VerifyingInput {
  readonly body: Body;
  readonly digest: string;
  readonly sizeBytes: number;
  /** Called once, before the body rejects. */
  readonly onMismatch: () => void;
  readonly signal: AbortSignal;
}

/**
 * Hashes a whole body as it passes. The last chunk is held back until the digest is known: on a mismatch it rejects with `DIGEST_MISMATCH` instead,
 * so that a client never has all the bytes of a wrong body.
 */
export function createVerifyingBody(digester: Digester, input: VerifyingInput): Body {
  const { body, digest, sizeBytes } = input;
  const stream = digester.stream(algorithmOf(digest));
  const state = { bytes: 0, hashed: Promise.resolve(), isJudged: false, isOver: false };

  const end = (): Promise<IteratorResult<Chunk, undefined>> => {
    state.isOver = true;
    letGo();
    stream.cancel();
    return body.return();
  };
  const letGo = onAbort(input.signal, () => {
    state.isOver = true;
    stream.cancel();
  });

  const judge = async (): Promise<void> => {
    state.isJudged = true;
    await state.hashed;
    const actual = await stream.finish();
    if (actual === digest) return;
    input.onMismatch();
    throw new PeiliError('DIGEST_MISMATCH', 'the bytes do not match their digest', { digest, actual });
  };
  const read = async (): Promise<IteratorResult<Chunk, undefined>> => {
    // The chunk before is borrowed until it has been hashed.
    await state.hashed;
    if (state.isOver) throw abortedError();
    const result = await body.next();
    if (result.done !== true) {
      state.bytes += result.value.byteLength;
      state.hashed = stream.update(result.value);
      state.hashed.catch(() => undefined); // Seen by the next call; there is none when the client hangs up.
    }
    if (state.bytes === sizeBytes && !state.isJudged) await judge();
    return result;
  };

  return {
    return: end,
    next: async () => {
      try {
        const result = await read();
        if (result.done === true) await end();
        return result;
      } catch (error) {
        await end();
        throw error;
      }
    },
  };
}
