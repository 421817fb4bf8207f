import { abortedError } from '../../../core/index.ts';
import type { Body, Chunk } from '../../../core/index.ts';

/**
 * A body that is copied from one peer after the other. `next` opens the rest after so many bytes that were copied; undefined: nobody is left, and the connection
 * ends. No time bounds a peer that gives nothing. `first` undefined: `next` opens it. `onEnd`: once, however it ends.
 */
export function createCopiedBody(
  first: Body | undefined,
  promisedBytes: number,
  next: (copied: number) => Promise<Body | undefined>,
  onEnd: () => void,
): Body {
  const state = { body: first, copied: 0, isOver: false };
  const over = (): void => {
    if (!state.isOver) onEnd();
    state.isOver = true;
  };
  const take = async (): Promise<IteratorResult<Chunk, undefined>> => {
    while (state.copied < promisedBytes) {
      state.body ??= await next(state.copied);
      if (state.body === undefined || state.isOver) {
        await state.body?.return();
        over();
        throw abortedError();
      }
      const chunk = await read(state.body);
      if (chunk === undefined) state.body = undefined;
      else {
        const value = chunk.subarray(0, Math.min(chunk.byteLength, promisedBytes - state.copied));
        state.copied += value.byteLength;
        return { done: false, value };
      }
    }
    over();
    return { done: true, value: undefined };
  };
  return {
    next: take,
    return: async () => {
      over();
      await state.body?.return();
      state.body = undefined;
      return { done: true, value: undefined };
    },
  };
}

/** Undefined: it has ended, in whichever way. */
async function read(body: Body): Promise<Chunk | undefined> {
  try {
    return (await body.next()).value;
  } catch {
    return undefined;
  }
}
