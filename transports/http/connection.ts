import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Limits } from '../../core/index.ts';
import { createDeadline } from './deadline.ts';
import type { WriteWatch } from './body-writer.ts';

/** One exchange on a connection. Resolves when its answer has been written or cannot be. */
export type Serve = (exchange: HttpExchange) => Promise<void>;

export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: ServerConnection;
  /** Aborts when the connection ends. */
  readonly signal: AbortSignal;
}

/** A client's connection: its exchanges one after the other, its one deadline, its end. */
export interface ServerConnection extends WriteWatch {
  accept(request: IncomingMessage, response: ServerResponse): void;
  /** Answers nothing any more after what is being answered: then FIN. */
  finishSoon(): void;
  /** Whether the answer being given is the last. */
  closing(): boolean;
  /** FIN now, after what has been written. The client's own bytes go on being read, so that the kernel does not turn it into an RST. */
  cut(): void;
  /** RST now. */
  reset(): void;
  /** Exchanges accepted and not finished. */
  pending(): number;
}

export interface ServerConnectionDeps {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly serve: Serve;
}

interface Accepted {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export function createServerConnection(
  { clock, limits, serve }: ServerConnectionDeps,
  socket: Socket,
): ServerConnection {
  const queue: Accepted[] = [];
  const state = { closing: false, cut: false, ended: false, queuedBytes: 0 };
  let current: AbortController | undefined;
  let releaseWrite: (() => void) | undefined;

  const expire = (): void => {
    if (releaseWrite === undefined || state.cut) {
      socket.destroy();
      return;
    }
    const queuedBytes = queuedBytesOf(socket);
    if (queuedBytes !== state.queuedBytes) {
      state.queuedBytes = queuedBytes;
      deadline.set(limits.deadClientTimeoutUs);
    } else socket.destroy();
  };
  const deadline = createDeadline(clock, expire);
  deadline.set(limits.requestHeadTimeoutUs);

  const end = (): void => {
    if (state.ended) return;
    state.ended = true;
    deadline.close();
    queue.length = 0;
    current?.abort();
    releaseWrite?.();
    releaseWrite = undefined;
  };
  socket.once('close', end);

  const cut = (): void => {
    if (state.ended || state.cut) return;
    state.cut = true;
    state.closing = true;
    queue.length = 0;
    // A borrowed chunk that waits to be written would change under the kernel's hands when its body ends: it is dropped.
    if (releaseWrite !== undefined) socket.destroy();
    else {
      socket.end();
      deadline.set(limits.lingerTimeoutUs);
      current?.abort();
    }
  };

  const run = async (accepted: Accepted): Promise<void> => {
    const controller = new AbortController();
    current = controller;
    deadline.clear();
    await serve({ ...accepted, connection, signal: controller.signal });
    current = undefined;
    if (state.ended) return;
    const next = queue.shift();
    if (next !== undefined) void run(next);
    else if (state.closing) cut();
    else deadline.set(limits.serverIdleTimeoutUs);
  };

  const connection: ServerConnection = {
    accept: (request, response) => {
      // After the last answer nothing is answered: the connection ends.
      if (state.closing || state.ended) return;
      const accepted = { request, response };
      if (current === undefined) {
        void run(accepted);
        return;
      }
      queue.push(accepted);
      if (queue.length >= limits.pipelinedRequestsMax) state.closing = true;
    },
    finishSoon: () => {
      state.closing = true;
      if (current === undefined) cut();
    },
    closing: () => state.closing && queue.length === 0,
    cut,
    reset: () => {
      socket.resetAndDestroy();
    },
    pending: () => queue.length + (current === undefined ? 0 : 1),
    onWriting: (release) => {
      if (state.ended) {
        release();
        return;
      }
      releaseWrite = release;
      state.queuedBytes = queuedBytesOf(socket);
      deadline.set(limits.deadClientTimeoutUs);
    },
    onWritten: () => {
      releaseWrite = undefined;
      deadline.clear();
    },
    ended: () => state.ended || state.cut,
  };
  return connection;
}

/**
 * Bytes of the write under way that the kernel has not taken. Node's own socket time-out looks at the same field; where it is missing,
 * progress is seen by whole chunks only.
 */
function queuedBytesOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return 0;
  const size: unknown = Reflect.get(handle, 'writeQueueSize');
  return typeof size === 'number' ? size : 0;
}
