import { abortedError } from '../../core/index.ts';
import type { Body, Chunk } from '../../core/index.ts';

/**
 * A body that is copied from one peer after the other. `next` opens the rest after so many bytes that were copied; undefined: nobody is left, and the connection
 * ends. No time bounds a peer that gives nothing.
 */
export function createCopiedBody(
  first: Body,
  promisedBytes: number,
  next: (copied: number) => Promise<Body | undefined>,
): Body {
  const state: { body: Body | undefined; copied: number } = { body: first, copied: 0 };
  const take = async (): Promise<IteratorResult<Chunk, undefined>> => {
    while (state.copied < promisedBytes) {
      const { body } = state;
      if (body === undefined) throw abortedError();
      try {
        const step = await body.next();
        if (step.done !== true) {
          const value = step.value.subarray(0, Math.min(step.value.byteLength, promisedBytes - state.copied));
          state.copied += value.byteLength;
          return { done: false, value };
        }
      } catch {
        // As any error of a copy: the next peer.
      }
      state.body = await next(state.copied);
    }
    return { done: true, value: undefined };
  };
  return {
    next: take,
    return: async () => {
      await state.body?.return();
      state.body = undefined;
      return { done: true, value: undefined };
    },
  };
}
