import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ociErrorBody, PeiliError } from '../../core/index.ts';
import type { Clock, Limits, Mirror, Observer } from '../../core/index.ts';
import { answerExchange } from './answer.ts';
import type { AnswerDeps, Readiness } from './answer.ts';
import { createCredentialsCheck } from './basic-auth.ts';
import type { BasicAuth } from './basic-auth.ts';
import { createServerConnection } from './connection.ts';
import type { HttpExchange, ServerConnection } from './connection.ts';
import { listen } from './listen.ts';
import type { ListenOptions } from './listen.ts';

export interface HttpServerDeps {
  readonly mirror: Mirror;
  readonly clock: Clock;
  readonly observer: Observer;
  /** What `/readyz` says. */
  readonly readiness: () => Readiness;
}

export interface HttpServerOptions extends ListenOptions {
  readonly limits: Limits;
  /** What whoever asks has to know; probes are answered without. @default nobody is asked */
  readonly basicAuth?: BasicAuth | undefined;
}

export interface HttpServer {
  readonly port: number;
  /** What is listened on, as in URLs: `127.0.0.1:5000`, `[::]:5000`. */
  readonly addresses: readonly string[];
  /** Open connections. */
  connections(): number;
  /**
   * Drains: accepts nothing more, lets bodies in flight go on for `limits.drainTimeoutUs`, then ends them with FIN.
   * Resolves when every connection is gone. Idempotent.
   */
  close(): Promise<void>;
  /** Stops at once: every connection is cut, in the middle of whatever it carries. */
  kill(): Promise<void>;
}

/**
 * Serves a mirror over HTTP/1.1: turns an exchange into text for the mirror and its answer into bytes, nothing else.
 * Rejects with `ADDRESS_IN_USE` or `ADDRESS_INVALID`.
 */
export async function serveHttp(deps: HttpServerDeps, options: HttpServerOptions): Promise<HttpServer> {
  const { clock, observer, mirror, readiness } = deps;
  const { limits, basicAuth } = options;
  const connections: Connections = { open: new Map(), onLastGone: () => undefined };
  const work = { exchanges: 0 };
  const answerDeps: AnswerDeps = {
    mirror,
    readiness,
    onNode: observer.onNode,
    isAuthorized: basicAuth === undefined ? () => true : createCredentialsCheck(basicAuth),
    hasRoom: () => work.exchanges <= limits.requestsMax,
  };

  const serve = async (exchange: HttpExchange): Promise<void> => {
    work.exchanges += 1;
    await answerExchange(answerDeps, exchange);
    work.exchanges -= 1;
  };

  const server = createBareServer(limits);
  takeConnections(server, connections, limits, (socket) => createServerConnection({ clock, limits, serve }, socket));
  const { port, authority } = await listen(server, options);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= drain(server, connections, clock, limits));
  return {
    port,
    addresses: [authority],
    connections: () => connections.open.size,
    close,
    kill: () => {
      const gone = close();
      for (const connection of connections.open.values()) connection.cut();
      return gone;
    },
  };
}

function createBareServer(limits: Limits): Server {
  const server = createServer({
    maxHeaderSize: limits.requestHeadMaxBytes,
    // Hosts are checked with the rest of the head, and times are kept by the clock that is given.
    requireHostHeader: false,
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    noDelay: true,
  });
  // All fields are seen, or a second Host beyond the count would go unnoticed; the head's size bounds them.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.clientConnectionsMax;
  return server;
}

interface Connections {
  readonly open: Map<Duplex, ServerConnection>;
  /** Called when the last one has gone. */
  onLastGone: () => void;
}

function takeConnections(
  server: Server,
  connections: Connections,
  limits: Limits,
  create: (socket: Socket) => ServerConnection,
): void {
  const { open } = connections;
  server.on('connection', (socket: Socket) => {
    open.set(socket, create(socket));
    // node:http takes its own listener back where it hands a socket on (CONNECT), and an error that nobody hears ends the process.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      open.delete(socket);
      if (open.size === 0) connections.onLastGone();
    });
  });
  const accept = (request: HttpExchange['request'], response: HttpExchange['response']): void => {
    open.get(request.socket)?.accept(request, response);
  };
  server.on('request', accept);
  server.on('checkContinue', accept);
  server.on('checkExpectation', accept);
  server.on('connect', (_request, socket) => {
    refuseRaw(socket, open.get(socket), '405 Method Not Allowed', 'a mirror is no proxy');
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else if (error.code === 'HPE_HEADER_OVERFLOW') {
      const message = `the request's head is longer than ${String(limits.requestHeadMaxBytes)} bytes`;
      refuseRaw(socket, open.get(socket), '431 Request Header Fields Too Large', message);
    } else refuseRaw(socket, open.get(socket), '400 Bad Request', 'the request is not HTTP');
  });
}

async function drain(server: Server, connections: Connections, clock: Clock, limits: Limits): Promise<void> {
  const { open } = connections;
  const notListening = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  for (const connection of open.values()) connection.finishSoon();
  const timer = clock.schedule(limits.drainTimeoutUs, () => {
    for (const connection of open.values()) connection.cut();
  });
  await notListening;
  // The server is done when the sockets are, a moment before the connections have let go of all they had.
  if (open.size > 0) {
    await new Promise<void>((resolve) => {
      connections.onLastGone = resolve;
    });
  }
  timer.cancel();
}

/** For what is not a request that node:http hands on. In the middle of other answers it only ends the connection after them. */
function refuseRaw(socket: Duplex, connection: ServerConnection | undefined, status: string, message: string): void {
  if (connection === undefined) {
    socket.destroy();
    return;
  }
  if (connection.pending() === 0) {
    const body = ociErrorBody(new PeiliError('REQUEST_INVALID', message));
    const length = String(Buffer.byteLength(body));
    socket.write(
      `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`,
    );
  }
  connection.finishSoon();
}
