import { Client } from 'undici';
import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { abortedError, abortReason, onAbort, PeiliError, reasonOf } from '../../core/index.ts';
import type { Body, Chunk, Limits, PeerRequest, PeerResponse } from '../../core/index.ts';

export interface UndiciExchangeDeps {
  /** Opens a connection to the member; rejects as `PeerClient.fetch` does. */
  readonly dial: () => Promise<Socket>;
  readonly limits: Pick<Limits, 'responseHeadMaxBytes'>;
}

/**
 * One request on a connection of its own, through undici: for answers that are not plain (chunked, without a length, after an interim one).
 * Rejects as `PeerClient.fetch` does.
 */
export async function undiciExchange(
  { dial, limits }: UndiciExchangeDeps,
  origin: string,
  request: PeerRequest,
  signal: AbortSignal,
): Promise<PeerResponse> {
  const client = new Client(origin, {
    connect: (_options, callback) => {
      dial().then(
        (socket) => {
          callback(null, socket);
        },
        (error: unknown) => {
          callback(error instanceof Error ? error : new Error(String(error)), null);
        },
      );
    },
    // Times are kept by the caller's clock, and the connection serves this request alone.
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 0,
    maxHeaderSize: limits.responseHeadMaxBytes,
  });
  const release = (): void => {
    client.destroy().catch(() => undefined);
  };
  const stopWatching = onAbort(signal, release);
  try {
    const answer = await client.request({
      path: request.target,
      method: request.method,
      headers: { ...request.headers },
      responseHeaders: 'raw',
    });
    const headers = joinedHeaders(answer.headers);
    const body = bodyOf(answer.body, signal, release);
    if (request.method === 'HEAD' || answer.statusCode === 204 || answer.statusCode === 304) {
      await body.return();
      return { status: answer.statusCode, headers };
    }
    return { status: answer.statusCode, headers, body };
  } catch (error) {
    release();
    if (signal.aborted) throw abortReason(signal);
    throw peerErrorOf(error);
  } finally {
    stopWatching();
  }
}

function peerErrorOf(error: unknown): PeiliError {
  if (error instanceof PeiliError) return error;
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  const malformed =
    typeof code === 'string' &&
    code !== 'HPE_INVALID_EOF_STATE' &&
    /^(?:HPE_|UND_ERR_(?:HEADERS|RES|INVALID|NOT_SUPPORTED))/.test(code);
  return malformed
    ? new PeiliError('PEER_PROTOCOL', 'the answer is not HTTP', { reason: code }, error)
    : new PeiliError('PEER_CLOSED', 'the member closed the connection', { reason: reasonOf(error) }, error);
}

function joinedHeaders(raw: unknown): Record<string, string> {
  const headers: Record<string, string> = {};
  if (!Array.isArray(raw)) return headers;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = String(raw[index]).toLowerCase();
    const value = String(raw[index + 1]);
    if (name !== '__proto__')
      headers[name] = Object.hasOwn(headers, name) ? `${String(headers[name])}, ${value}` : value;
  }
  return headers;
}

/** A readable stream as a body whose `return()` settles whatever the stream does. */
function bodyOf(readable: Dispatcher.ResponseData['body'], signal: AbortSignal, release: () => void): Body {
  const chunks: AsyncIterator<unknown> = readable[Symbol.asyncIterator]();
  const finished: IteratorResult<Chunk, undefined> = { done: true, value: undefined };
  let ended = false;
  let stopWatching: () => void = () => undefined;
  let failure: PeiliError | undefined;
  let rejectPending: ((error: PeiliError) => void) | undefined;
  const end = (error: PeiliError): void => {
    if (ended) return;
    ended = true;
    stopWatching();
    release();
    readable.on('error', () => undefined);
    readable.destroy();
    rejectPending?.(error);
  };
  stopWatching = onAbort(signal, () => {
    failure = abortReason(signal);
    end(failure);
  });
  const read = async (): Promise<IteratorResult<Chunk, undefined>> => {
    try {
      const step = await chunks.next();
      rejectPending = undefined;
      if (step.done !== true && step.value instanceof Uint8Array) return { done: false, value: step.value };
      end(abortedError());
      return finished;
    } catch (error) {
      rejectPending = undefined;
      failure ??= peerErrorOf(error);
      end(failure);
      throw failure;
    }
  };
  return {
    next: () => {
      if (failure !== undefined) return Promise.reject(failure);
      if (ended) return Promise.resolve(finished);
      return new Promise((resolve, reject) => {
        rejectPending = reject;
        read().then(resolve, reject);
      });
    },
    return: () => {
      end(abortedError());
      return Promise.resolve(finished);
    },
  };
}
