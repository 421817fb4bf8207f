import { PeiliError } from '../errors.ts';
import type { Body, Chunk } from '../ports/index.ts';
import type { Handler } from './handler.ts';
import { errorResponse } from './responses.ts';
import { watchedBody } from './watched-body.ts';

/** How many blob bodies other mirrors are being given, and whether they should come at all. */
export interface UploadSlots {
  free(): number;
  taken(): number;
  /** From now on mirrors are told to go elsewhere. */
  close(): void;
}

export interface UploadLimit extends UploadSlots {
  handler(next: Handler): Handler;
}

/** An overloaded node says so early, before it looks or reads anything, and the mirrors that asked go to another holder (contract L11). */
export function limitUploads(uploadsMax: number): UploadLimit {
  const state = { taken: 0, closed: false };
  const take = (): (() => void) => {
    state.taken += 1;
    const slot = { held: true };
    return () => {
      if (slot.held) state.taken -= 1;
      slot.held = false;
    };
  };
  return {
    free: () => (state.closed ? 0 : uploadsMax - state.taken),
    taken: () => state.taken,
    close: () => {
      state.closed = true;
    },
    handler: (next) => async (exchange) => {
      const { request } = exchange;
      if (state.closed) return errorResponse(new PeiliError('DRAINING', 'this mirror is about to stop'), request);
      if (request.resource !== 'blob' || request.method !== 'GET') return next(exchange);
      if (state.taken >= uploadsMax) {
        return errorResponse(new PeiliError('OVERLOADED', 'all upload slots are taken', { uploadsMax }), request);
      }
      const release = take();
      try {
        const response = await next(exchange);
        if (response.body === undefined) release();
        return response.body === undefined ? response : { ...response, body: releasing(response.body, release) };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

function releasing(body: Body, release: () => void): Body {
  const onStep = ({ done }: IteratorResult<Chunk, undefined>): void => {
    if (done === true) release();
  };
  return watchedBody(body, { onStep, onFailure: release }, () => {
    release();
    return body.return();
  });
}
