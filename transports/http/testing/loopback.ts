import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after } from 'node:test';
import { limitsWith, silentObserver } from '../../../core/index.ts';
import type {
  Body,
  Chunk,
  DistributionResponse,
  Limits,
  Member,
  Mirror,
  NodeEvent,
  RequestText,
} from '../../../core/index.ts';
import { createVirtualClock } from '../../../core/testing/virtual-clock.ts';
import type { VirtualClock } from '../../../core/testing/virtual-clock.ts';
import { serveHttp } from '../server.ts';
import type { HttpServer, HttpServerOptions } from '../server.ts';

/** What a test that fails leaves open would keep its process alive. */
const leftovers = new Set<() => unknown>();
after(() => {
  for (const end of leftovers) end();
});

export function endLater(end: () => unknown): void {
  leftovers.add(end);
}

/** Waits for a condition that other events of this process bring about. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const limitMs = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > limitMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Bytes that differ at every offset of a period that no buffer size divides. */
export function patternBytes(lengthBytes: number): Buffer {
  const period = Uint8Array.from({ length: 251 }, (_value, index) => index + 1);
  return Buffer.alloc(lengthBytes, period);
}

export interface WatchedBody extends Body {
  /** How often `next()` was called. */
  nexts(): number;
  /** Whether it holds nothing any more: read to the end, failed or returned. */
  ended(): boolean;
}

/**
 * Gives `content` in chunks that all lie in ONE buffer, overwritten before each `next()` and at the end, as stores and peers do.
 * Then ends cleanly, or as `then` says.
 */
export function borrowedBody(
  content: Uint8Array,
  chunkBytes: number,
  then: 'end' | 'stall' | Error = 'end',
): WatchedBody {
  const buffer = new Uint8Array(Math.max(1, chunkBytes));
  const state = { at: 0, nexts: 0, ended: false };
  let reject: (error: Error) => void = () => undefined;
  const finish = (): IteratorResult<Chunk, undefined> => {
    state.ended = true;
    buffer.fill(0);
    return { done: true, value: undefined };
  };
  return {
    next: () => {
      state.nexts += 1;
      buffer.fill(0);
      const bytes = content.subarray(state.at, state.at + chunkBytes);
      state.at += bytes.byteLength;
      if (bytes.byteLength > 0) {
        buffer.set(bytes);
        return Promise.resolve({ done: false, value: buffer.subarray(0, bytes.byteLength) });
      }
      if (then === 'stall') return new Promise((_resolve, rejectNext) => (reject = rejectNext));
      const result = finish();
      return then === 'end' ? Promise.resolve(result) : Promise.reject(then);
    },
    return: () => {
      reject(new Error('returned'));
      return Promise.resolve(finish());
    },
    nexts: () => state.nexts,
    ended: () => state.ended,
  };
}

export function answerWith(body: Body, lengthBytes: number, status = 200): DistributionResponse {
  return {
    status,
    headers: { 'content-length': String(lengthBytes), 'content-type': 'application/octet-stream' },
    body,
  };
}

export type Answer = (input: RequestText, signal: AbortSignal) => DistributionResponse | Promise<DistributionResponse>;

export interface TestServer {
  readonly server: HttpServer;
  readonly port: number;
  readonly clock: VirtualClock;
  readonly events: readonly NodeEvent[];
  /** Requests that reached the mirror. */
  readonly requests: readonly RequestText[];
}

export async function serve(
  answer: Answer,
  limits: Partial<Limits> = {},
  options: Partial<Omit<HttpServerOptions, 'limits'>> = {},
): Promise<TestServer> {
  const clock = createVirtualClock();
  const events: NodeEvent[] = [];
  const requests: RequestText[] = [];
  const mirror: Mirror = {
    answer: async (input, signal) => {
      requests.push(input);
      return answer(input, signal);
    },
  };
  const observer = { ...silentObserver, onNode: (event: NodeEvent) => void events.push(event) };
  const readiness = (): { ready: boolean; reason: string } => ({ ready: false, reason: 'no members yet' });
  const server = await serveHttp(
    { mirror, clock, observer, readiness },
    { host: '127.0.0.1', port: 0, ...options, limits: limitsWith(limits) },
  );
  endLater(() => void server.kill());
  return { server, port: server.port, clock, events, requests };
}

/** A client that speaks bytes. */
export interface RawClient {
  readonly socket: Socket;
  received(): string;
  /** `fin`, `reset`, or undefined while the connection is open. */
  end(): 'fin' | 'reset' | undefined;
  /** The end, waited for. */
  ended(): Promise<'fin' | 'reset'>;
  /** Waits until `text` has been received. */
  sees(text: string): Promise<void>;
}

export function rawClient(port: number, text: string, host = '127.0.0.1'): RawClient {
  const chunks: Buffer[] = [];
  const state: { end: 'fin' | 'reset' | undefined } = { end: undefined };
  const socket = connect({ port, host });
  endLater(() => socket.destroy());
  const received = (): string => Buffer.concat(chunks).toString('latin1');
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
  socket.once('end', () => (state.end ??= 'fin'));
  socket.once('error', () => (state.end ??= 'reset'));
  socket.write(text, 'latin1');
  return {
    socket,
    received,
    end: () => state.end,
    ended: async () => {
      await until(() => state.end !== undefined, 'the end of the connection');
      return state.end ?? 'reset';
    },
    sees: (expected) => until(() => received().includes(expected), `receiving ${expected}`),
  };
}

export function get(target: string, ...fields: readonly string[]): string {
  return [`GET ${target} HTTP/1.1`, 'host: mirror', ...fields, '', ''].join('\r\n');
}

/** What follows a response's head. */
export function bodyOf(received: string): string {
  return received.slice(received.indexOf('\r\n\r\n') + 4);
}

export interface ScriptedPeer {
  readonly port: number;
  readonly sockets: ReadonlySet<Socket>;
  /** All connections ever taken. */
  accepted(): number;
  close(): Promise<void>;
}

/** A peer that does what `onRequest` says once a request's head has arrived; `nth` counts requests over all connections from 1. */
export async function scriptedPeer(
  onRequest: (socket: Socket, head: string, nth: number) => void,
  host = '127.0.0.1',
): Promise<ScriptedPeer> {
  const sockets = new Set<Socket>();
  const state = { accepted: 0, requests: 0 };
  const server = createServer((socket) => {
    state.accepted += 1;
    sockets.add(socket);
    let head = '';
    socket.on('data', (chunk: Buffer) => {
      head += chunk.toString('latin1');
      for (let end = head.indexOf('\r\n\r\n'); end >= 0; end = head.indexOf('\r\n\r\n')) {
        state.requests += 1;
        onRequest(socket, head.slice(0, end + 4), state.requests);
        head = head.slice(end + 4);
      }
    });
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  endLater(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    accepted: () => state.accepted,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export function memberAt(port: number, addresses: readonly string[] = ['127.0.0.1']): Member {
  return {
    id: 'member',
    position: new Uint8Array(32),
    addresses,
    registryPort: port,
    kind: 'peili',
    zone: '',
    incarnation: 1,
    connected: true,
  };
}
