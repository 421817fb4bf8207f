import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** How a connection ended before its promised bytes: a client that resumes treats them differently. */
export type CutKind = 'fin' | 'rst';

export class CutError extends Error {
  readonly kind: CutKind;

  constructor(kind: CutKind) {
    super(kind === 'fin' ? 'the connection ended before all promised bytes (FIN)' : 'the connection was reset (RST)');
    this.name = 'CutError';
    this.kind = kind;
  }
}

export interface ExchangeOptions {
  readonly url: URL;
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly dialTimeoutMs: number;
}

export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  /** The promised bytes to the last one, or a `CutError`. Leaving it early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  close(): void;
}

/**
 * One HTTP/1.1 exchange on a connection of its own, by hand: Node's own clients do not tell FIN from RST, and lose what had arrived before either.
 * Plain HTTP and Content-Length only. After the dial no timer runs, as in containerd.
 */
export async function exchange(options: ExchangeOptions): Promise<Answer> {
  const { url, method, headers, signal } = options;
  const socket = await dial(options);
  const onAbort = (): void => {
    socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('the pull was cancelled'));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('close', () => {
    signal.removeEventListener('abort', onAbort);
  });
  const fields = { host: url.host, ...headers, connection: 'close' };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const source: AsyncIterator<Uint8Array, undefined> = socket[Symbol.asyncIterator]();
  try {
    const { head, rest } = await readHead(source);
    const { status, fields: received } = parseHead(head);
    const length = method === 'HEAD' || status === 204 ? 0 : Number(received.get('content-length') ?? Number.NaN);
    if (!Number.isSafeInteger(length)) throw new Error('the answer has no Content-Length');
    return {
      status,
      headers: received,
      body: readBody(source, rest, length, socket),
      close: () => {
        socket.destroy();
      },
    };
  } catch (error) {
    socket.destroy();
    throw cutOf(error);
  }
}

async function dial(options: ExchangeOptions): Promise<Socket> {
  const { url, signal, dialTimeoutMs } = options;
  signal.throwIfAborted();
  const socket = connect({
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port === '' ? 80 : url.port),
  });
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(dialTimeoutMs)]) });
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error;
  }
  socket.on('error', () => undefined);
  return socket;
}

async function readHead(source: AsyncIterator<Uint8Array, undefined>): Promise<{ head: string; rest: Uint8Array }> {
  let received = Buffer.alloc(0);
  for (;;) {
    const end = received.indexOf('\r\n\r\n');
    if (end >= 0) return { head: received.toString('latin1', 0, end), rest: received.subarray(end + 4) };
    const { done, value } = await source.next();
    if (done === true) throw new CutError('fin');
    received = Buffer.concat([received, value]);
  }
}

function parseHead(head: string): { status: number; fields: Map<string, string> } {
  const [first = '', ...lines] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]);
  if (!Number.isInteger(status)) throw new Error(`"${first}" does not begin an HTTP/1.1 answer`);
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status, fields };
}

async function* readBody(
  source: AsyncIterator<Uint8Array, undefined>,
  rest: Uint8Array,
  length: number,
  socket: Socket,
): AsyncGenerator<Uint8Array> {
  try {
    let left = length;
    let chunk = rest;
    for (;;) {
      if (chunk.byteLength > left) throw new Error('the answer has more bytes than its Content-Length');
      left -= chunk.byteLength;
      if (chunk.byteLength > 0) yield chunk;
      if (left === 0) return;
      const { done, value } = await source.next();
      if (done === true) throw new CutError('fin');
      chunk = value;
    }
  } catch (error) {
    throw cutOf(error);
  } finally {
    socket.destroy();
  }
}

function cutOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET' ? new CutError('rst') : error;
}
