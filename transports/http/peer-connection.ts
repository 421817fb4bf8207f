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
  return new ReadingConnection(deps, address, port);
}

/** A class, since the socket's callbacks share this state on the hot path. */
class ReadingConnection implements PeerConnection {
  readonly key: string;
  readonly socket: Socket;
  readonly #deps: PeerConnectionDeps;
  readonly #headBuffer: Uint8Array;
  /** Bytes of an unfinished head in the head buffer. */
  #headBytes = 0;
  #phase: Phase = idle;
  #answered = false;
  #lost = false;
  /** Whether the answer being read leaves the connection fit for another request. */
  #persistent = true;
  #stopWatching: () => void = () => undefined;

  constructor(deps: PeerConnectionDeps, address: string, port: number) {
    this.#deps = deps;
    this.#headBuffer = new Uint8Array(deps.limits.responseHeadMaxBytes);
    this.key = connectionKey(address, port);
    const onread = { buffer: () => this.#readTarget(), callback: (count: number) => this.#onBytes(count) };
    this.socket = connect({ host: address, port, noDelay: true, onread });
    const lose = (error?: Error): void => {
      this.#lose(error);
    };
    this.socket.on('error', lose);
    this.socket.once('end', lose);
    this.socket.once('close', () => {
      this.#lose();
    });
  }

  exchange(method: 'GET' | 'HEAD', requestHead: string, signal: AbortSignal): Promise<Exchanged> {
    return new Promise((resolve, reject) => {
      const reader = createHeadReader(method, this.#headBuffer.byteLength);
      this.#phase = { type: 'head', awaited: { reader, resolve, reject } };
      this.#stopWatching = onAbort(signal, () => {
        this.#abort(abortReason(signal));
      });
      this.socket.write(requestHead, 'latin1');
    });
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Asked for after each read: where the next one goes. Nothing is read while a chunk that lies there is borrowed. */
  #readTarget(): Uint8Array {
    const phase = this.#phase;
    if (phase.type === 'body' && phase.incoming.missingBytes() > 0) return phase.buffer;
    return this.#headBuffer.subarray(this.#headBytes);
  }

  /** Whether to go on reading at once. */
  #onBytes(count: number): boolean {
    const phase = this.#phase;
    switch (phase.type) {
      case 'head':
        return this.#onHeadBytes(phase.awaited, count);
      case 'body': {
        const wanted = Math.min(count, phase.incoming.missingBytes());
        if (wanted < count) this.#persistent = false;
        phase.incoming.take(phase.buffer.subarray(0, wanted));
        return false;
      }
      case 'idle':
        // Nothing was asked.
        this.socket.destroy();
        return false;
    }
  }

  #onHeadBytes(awaited: AwaitedHead, count: number): boolean {
    this.#headBytes += count;
    const received = this.#headBuffer.subarray(0, this.#headBytes);
    const outcome = awaited.reader.read(received);
    if (outcome.kind === 'more') return true;
    this.#headBytes = 0;
    if (outcome.kind === 'plain') {
      this.#persistent = outcome.head.persistent;
      awaited.resolve(this.#beginBody(outcome.head, received.subarray(outcome.head.headBytes)));
      return this.#phase.type === 'idle';
    }
    this.#settle(false);
    if (outcome.kind === 'other') awaited.resolve('not-plain');
    else
      awaited.reject(new PeiliError('PEER_PROTOCOL', `the answer is not HTTP: ${outcome.reason}`, { key: this.key }));
    return false;
  }

  #beginBody({ status, headers, bodyBytes }: ResponseHead, received: Uint8Array): PeerResponse {
    if (received.byteLength > bodyBytes) this.#persistent = false;
    if (bodyBytes === 0) {
      this.#settle(this.#persistent);
      return { status, headers };
    }
    const early = received.subarray(0, bodyBytes);
    const lease = leaseFor(this.#deps.buffers, bodyBytes - early.byteLength, this.#headBuffer.byteLength);
    const incoming = createIncomingBody(
      {
        onWanted: () => this.socket.resume(),
        onEnd: (whole) => {
          this.#settle(whole && this.#persistent);
          lease?.release();
        },
      },
      bodyBytes,
      early,
    );
    this.#phase = { type: 'body', incoming, buffer: lease?.buffer() ?? this.#headBuffer };
    return { status, headers, body: incoming.body };
  }

  /** The exchange is over; whether the connection is good for another. */
  #settle(reusable: boolean): void {
    this.#phase = idle;
    this.#stopWatching();
    this.#stopWatching = () => undefined;
    if (!reusable || this.#lost) {
      this.socket.destroy();
      return;
    }
    this.#answered = true;
    this.#deps.onIdle(this);
    // Read on, so that the connection's end is noticed.
    this.socket.resume();
  }

  #abort(reason: PeiliError): void {
    const phase = this.#phase;
    if (phase.type === 'body') phase.incoming.abort(reason);
    else if (phase.type === 'head') {
      this.#settle(false);
      phase.awaited.reject(reason);
    }
  }

  /** The socket has failed, ended or closed, whichever is heard first. */
  #lose(error?: Error): void {
    if (this.#lost) return;
    this.#lost = true;
    this.socket.destroy();
    const phase = this.#phase;
    const closed = new PeiliError('PEER_CLOSED', 'the member closed the connection', { key: this.key }, error);
    if (phase.type === 'body') phase.incoming.fail(closed);
    else if (phase.type === 'head') {
      this.#settle(false);
      if (this.#answered && this.#headBytes === 0) phase.awaited.resolve('stale');
      else phase.awaited.reject(closed);
    }
    this.#deps.onClosed(this);
  }
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
