import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Limits } from '../../core/index.ts';
import { createDeadline } from './deadline.ts';
import type { Deadline } from './deadline.ts';
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

export function createServerConnection(deps: ServerConnectionDeps, socket: Socket): ServerConnection {
  return new HttpConnection(deps, socket);
}

/** A class, since each request touches this state several times. */
class HttpConnection implements ServerConnection {
  readonly #deps: ServerConnectionDeps;
  readonly #socket: Socket;
  readonly #deadline: Deadline;
  readonly #queue: Accepted[] = [];
  #current: AbortController | undefined;
  /** Set while bytes wait for the client. */
  #releaseWrite: (() => void) | undefined;
  #queuedBytes = 0;
  #closing = false;
  #cut = false;
  #ended = false;

  constructor(deps: ServerConnectionDeps, socket: Socket) {
    this.#deps = deps;
    this.#socket = socket;
    this.#deadline = createDeadline(deps.clock, () => {
      this.#expire();
    });
    this.#deadline.set(deps.limits.requestHeadTimeoutUs);
    socket.once('close', () => {
      this.#end();
    });
  }

  accept(request: IncomingMessage, response: ServerResponse): void {
    // After the last answer nothing is answered: the connection ends.
    if (this.#closing || this.#ended) return;
    const accepted = { request, response };
    if (this.#current === undefined) {
      void this.#run(accepted);
      return;
    }
    this.#queue.push(accepted);
    if (this.#queue.length >= this.#deps.limits.pipelinedRequestsMax) this.#closing = true;
  }

  finishSoon(): void {
    this.#closing = true;
    if (this.#current === undefined) this.cut();
  }

  closing(): boolean {
    return this.#closing && this.#queue.length === 0;
  }

  cut(): void {
    if (this.#ended || this.#cut) return;
    this.#cut = true;
    this.#closing = true;
    this.#queue.length = 0;
    // A borrowed chunk that waits to be written would change under the kernel's hands when its body ends: it is dropped.
    if (this.#releaseWrite !== undefined) this.#socket.destroy();
    else {
      this.#socket.end();
      this.#deadline.set(this.#deps.limits.lingerTimeoutUs);
      this.#current?.abort();
    }
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  pending(): number {
    return this.#queue.length + (this.#current === undefined ? 0 : 1);
  }

  onWriting(release: () => void): void {
    if (this.#ended) {
      release();
      return;
    }
    this.#releaseWrite = release;
    this.#queuedBytes = queuedBytesOf(this.#socket);
    this.#deadline.set(this.#deps.limits.deadClientTimeoutUs);
  }

  onWritten(): void {
    this.#releaseWrite = undefined;
    this.#deadline.clear();
  }

  ended(): boolean {
    return this.#ended || this.#cut;
  }

  async #run(accepted: Accepted): Promise<void> {
    const controller = new AbortController();
    this.#current = controller;
    this.#deadline.clear();
    await this.#deps.serve({ ...accepted, connection: this, signal: controller.signal });
    this.#current = undefined;
    if (this.#ended) return;
    const next = this.#queue.shift();
    if (next !== undefined) void this.#run(next);
    else if (this.#closing) this.cut();
    else this.#deadline.set(this.#deps.limits.serverIdleTimeoutUs);
  }

  /** No head, no next request, no end of the connection, or no byte taken in its time. */
  #expire(): void {
    const queuedBytes = queuedBytesOf(this.#socket);
    if (this.#releaseWrite === undefined || this.#cut || queuedBytes === this.#queuedBytes) {
      this.#socket.destroy();
      return;
    }
    this.#queuedBytes = queuedBytes;
    this.#deadline.set(this.#deps.limits.deadClientTimeoutUs);
  }

  #end(): void {
    this.#ended = true;
    this.#deadline.close();
    this.#queue.length = 0;
    this.#current?.abort();
    this.#releaseWrite?.();
    this.#releaseWrite = undefined;
  }
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
