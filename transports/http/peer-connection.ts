import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { abortReason, errorCodeOf, onAbort, PeiliError } from '../../core/index.ts';
import type { Limits, PeerResponse } from '../../core/index.ts';
import type { BufferLease, BufferPool } from '../system/buffer-pool.ts';
import { createIncomingBody } from './incoming-body.ts';
import type { IncomingBody } from './incoming-body.ts';
import { createHeadReader } from './response-head.ts';
import type { HeadReader, ResponseHead } from './response-head.ts';

/** `stale`: the other side had closed the connection before it saw the request. `not-plain`: to be asked again by a complete client. */
export type Exchanged = PeerResponse | 'stale' | 'not-plain';

/** A connection to a peer that reads into buffers of ours, one exchange at a time. */
export interface PeerConnection {
  /** The address and port that it goes to. */
  readonly key: string;
  readonly socket: Socket;
  /**
   * Sends `requestHead` (a request has no body) and resolves with the answer's head.
   * Rejects with `PEER_PROTOCOL`, `PEER_CLOSED` or the signal's reason. The signal must not have aborted yet.
   */
  exchange(method: 'GET' | 'HEAD', requestHead: string, signal: AbortSignal): Promise<Exchanged>;
  destroy(): void;
}

export interface PeerConnectionDeps {
  readonly buffers: BufferPool;
  readonly limits: Pick<Limits, 'responseHeadMaxBytes'>;
  /** It may carry the next request. */
  readonly onIdle: (connection: PeerConnection) => void;
  /** It has ended. */
  readonly onClosed: (connection: PeerConnection) => void;
}

interface AwaitedHead {
  readonly reader: HeadReader;
  resolve(exchanged: Exchanged): void;
  reject(error: PeiliError): void;
}

/** What reads where: a head, then a body, then nothing until the next request. */
type Phase =
  | { readonly type: 'idle' }
  | { readonly type: 'head'; readonly awaited: AwaitedHead }
  | { readonly type: 'body'; readonly incoming: IncomingBody; readonly buffer: Uint8Array };

const idle: Phase = { type: 'idle' };

export function openPeerConnection(deps: PeerConnectionDeps, address: string, port: number): PeerConnection {
  const headBuffer = new Uint8Array(deps.limits.responseHeadMaxBytes);
  const state = { headBytes: 0, answered: false, lost: false, persistent: true };
  let phase: Phase = idle;
  let stopWatching: () => void = () => undefined;

  // Asked for after each read: where the next one goes. Nothing is read while a chunk that lies there is borrowed.
  const readTarget = (): Uint8Array =>
    phase.type === 'body' && phase.incoming.missingBytes() > 0 ? phase.buffer : headBuffer.subarray(state.headBytes);

  /** The exchange is over; whether the connection is good for another. */
  const settle = (reusable: boolean): void => {
    phase = idle;
    stopWatching();
    stopWatching = () => undefined;
    if (!reusable || state.lost) {
      socket.destroy();
      return;
    }
    state.answered = true;
    deps.onIdle(connection);
    // Read on: so that its end is noticed.
    socket.resume();
  };

  const beginBody = (head: ResponseHead, received: Uint8Array): PeerResponse => {
    const { status, headers, bodyBytes } = head;
    if (received.byteLength > bodyBytes) state.persistent = false;
    if (bodyBytes === 0) {
      settle(state.persistent);
      return { status, headers };
    }
    const early = received.subarray(0, bodyBytes);
    const lease = leaseFor(deps.buffers, bodyBytes - early.byteLength, headBuffer.byteLength);
    const incoming = createIncomingBody(
      {
        onWanted: () => socket.resume(),
        onEnd: (whole) => {
          settle(whole && state.persistent);
          lease?.release();
        },
      },
      bodyBytes,
      early,
    );
    phase = { type: 'body', incoming, buffer: lease?.buffer() ?? headBuffer };
    return { status, headers, body: incoming.body };
  };

  const onHeadBytes = (awaited: AwaitedHead, count: number): boolean => {
    state.headBytes += count;
    const received = headBuffer.subarray(0, state.headBytes);
    const outcome = awaited.reader.read(received);
    if (outcome.kind === 'more') return true;
    state.headBytes = 0;
    if (outcome.kind === 'plain') {
      state.persistent = outcome.head.persistent;
      awaited.resolve(beginBody(outcome.head, received.subarray(outcome.head.headBytes)));
      return phase.type === 'idle';
    }
    settle(false);
    if (outcome.kind === 'other') awaited.resolve('not-plain');
    else awaited.reject(new PeiliError('PEER_PROTOCOL', `the answer is not HTTP: ${outcome.reason}`, { key }));
    return false;
  };

  const onBytes = (count: number): boolean => {
    switch (phase.type) {
      case 'head':
        return onHeadBytes(phase.awaited, count);
      case 'body': {
        const { incoming, buffer } = phase;
        const wanted = Math.min(count, incoming.missingBytes());
        if (wanted < count) state.persistent = false;
        incoming.take(buffer.subarray(0, wanted));
        return false;
      }
      case 'idle':
        // Nothing was asked.
        socket.destroy();
        return false;
    }
  };

  const lose = (error?: Error): void => {
    if (state.lost) return;
    state.lost = true;
    socket.destroy();
    const before = phase;
    const closed = (): PeiliError => new PeiliError('PEER_CLOSED', 'the member closed the connection', { key }, error);
    if (before.type === 'body') before.incoming.fail(closed());
    else if (before.type === 'head') {
      settle(false);
      if (state.answered && state.headBytes === 0) before.awaited.resolve('stale');
      else before.awaited.reject(closed());
    }
    deps.onClosed(connection);
  };

  const key = connectionKey(address, port);
  const socket = connect({ host: address, port, noDelay: true, onread: { buffer: readTarget, callback: onBytes } });
  socket.on('error', lose);
  socket.once('end', lose);
  socket.once('close', () => {
    lose();
  });

  const connection: PeerConnection = {
    key,
    socket,
    exchange: (method, requestHead, signal) =>
      new Promise((resolve, reject) => {
        phase = {
          type: 'head',
          awaited: { reader: createHeadReader(method, headBuffer.byteLength), resolve, reject },
        };
        stopWatching = onAbort(signal, () => {
          const before = phase;
          if (before.type === 'body') before.incoming.abort(abortReason(signal));
          else if (before.type === 'head') {
            settle(false);
            before.awaited.reject(abortReason(signal));
          }
        });
        socket.write(requestHead, 'latin1');
      }),
    destroy: () => socket.destroy(),
  };
  return connection;
}

/** How connections to the same place are found again. */
export function connectionKey(address: string, port: number): string {
  return `${address} ${String(port)}`;
}

/** A buffer for what is left of a body. None where the head's own buffer will do, small bodies, or has to do: all others are in use. */
function leaseFor(buffers: BufferPool, missingBytes: number, headBufferBytes: number): BufferLease | undefined {
  if (missingBytes <= headBufferBytes) return undefined;
  try {
    return buffers.lease(missingBytes);
  } catch (error) {
    if (errorCodeOf(error) === 'OVERLOADED') return undefined;
    throw error;
  }
}
