import { abortedError } from '../../core/index.ts';
import type { Body, Chunk, PeiliError } from '../../core/index.ts';

/** A body whose bytes a connection reads into one buffer, a chunk at a time. */
export interface IncomingBody {
  readonly body: Body;
  /** Bytes that the connection has yet to read. */
  missingBytes(): number;
  /** Bytes just read, at most `missingBytes()`. Nothing is read until `onWanted` is called again. */
  take(bytes: Uint8Array): void;
  /** The connection is lost: what was given out stays valid until it is given back. */
  fail(error: PeiliError): void;
  /** The caller's signal aborted: like `return()`, and a later `next()` rejects with `error`. */
  abort(error: PeiliError): void;
}

export interface IncomingBodyDeps {
  /** The next chunk is wanted, and the buffer is free for it. */
  readonly onWanted: () => void;
  /** Called once, when the body holds nothing any more. `whole`: the connection has read all of it. */
  readonly onEnd: (whole: boolean) => void;
}

interface Waiting {
  resolve(result: IteratorResult<Chunk, undefined>): void;
  reject(error: PeiliError): void;
}

const finished: IteratorResult<Chunk, undefined> = { done: true, value: undefined };

/** `early` came together with the head. The body has `lengthBytes` bytes, those included. */
export function createIncomingBody(deps: IncomingBodyDeps, lengthBytes: number, early: Uint8Array): IncomingBody {
  const state = { missingBytes: lengthBytes - early.byteLength, ended: false };
  let ready: Uint8Array | undefined = early.byteLength > 0 ? early : undefined;
  let waiting: Waiting | undefined;
  let failure: PeiliError | undefined;

  const end = (): void => {
    if (state.ended) return;
    state.ended = true;
    ready = undefined;
    deps.onEnd(state.missingBytes === 0);
  };
  const stop = (error: PeiliError): void => {
    const pending = waiting;
    waiting = undefined;
    end();
    pending?.reject(error);
  };

  const next = (): Promise<IteratorResult<Chunk, undefined>> => {
    if (ready !== undefined && failure === undefined) {
      const value = ready;
      ready = undefined;
      return Promise.resolve({ done: false, value });
    }
    if (failure !== undefined) {
      end();
      return Promise.reject(failure);
    }
    if (state.ended || state.missingBytes === 0) {
      end();
      return Promise.resolve(finished);
    }
    return new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      deps.onWanted();
    });
  };

  return {
    body: {
      next,
      return: () => {
        stop(abortedError());
        return Promise.resolve(finished);
      },
    },
    missingBytes: () => state.missingBytes,
    take: (bytes) => {
      state.missingBytes -= bytes.byteLength;
      const pending = waiting;
      waiting = undefined;
      pending?.resolve({ done: false, value: bytes });
    },
    fail: (error) => {
      if (state.ended || state.missingBytes === 0) return;
      failure = error;
      if (waiting !== undefined) stop(error);
    },
    abort: (error) => {
      if (state.ended) return;
      failure = error;
      stop(error);
    },
  };
}
