import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ExchangeRequest {
  readonly method?: 'GET' | 'HEAD';
  readonly path: string;
}

export interface Exchange {
  readonly status: number;
  /** Bytes of the body that came. */
  readonly bytes: number;
  /** Whether those were all that were promised. */
  readonly complete: boolean;
  /** From the request to its last byte. */
  readonly tookMs: number;
}

/** One connection, one request at a time, which reads as fast as the machine can and keeps nothing. */
export interface Connection {
  exchange(request: ExchangeRequest): Promise<Exchange>;
  isOpen(): boolean;
  close(): void;
}

/** Read into by all connections of this process: their bytes are counted at once and never kept. */
const readBuffer = Buffer.allocUnsafe(1024 * 1024);
const headMax = 64 * 1024;

interface Pending {
  readonly isHead: boolean;
  readonly startedMs: number;
  readonly resolve: (exchange: Exchange) => void;
  readonly reject: (error: Error) => void;
  headText: string;
  status: number;
  promisedBytes: number;
  bytes: number;
}

/** Every read goes into one buffer, so that a gibibyte costs the client little more than the kernel's own copy. */
export async function openConnection({ host, port }: Address): Promise<Connection> {
  const state: { pending: Pending | undefined; open: boolean } = { pending: undefined, open: true };
  const finish = (pending: Pending): void => {
    state.pending = undefined;
    const { bytes, promisedBytes, startedMs, status } = pending;
    pending.resolve({ status, bytes, complete: bytes === promisedBytes, tookMs: performance.now() - startedMs });
  };
  const onRead = (size: number): void => {
    const { pending } = state;
    if (pending === undefined) return;
    if (pending.status === 0) readHead(pending, size);
    else pending.bytes += size;
    if (pending.status !== 0 && pending.bytes >= pending.promisedBytes) finish(pending);
  };
  const socket: Socket = connect({
    host,
    port,
    noDelay: true,
    onread: {
      buffer: readBuffer,
      callback: (size) => {
        onRead(size);
        return true;
      },
    },
  });
  const end = (error?: Error): void => {
    state.open = false;
    const { pending } = state;
    if (pending === undefined) return;
    if (pending.status !== 0) finish(pending);
    else pending.reject(error ?? new Error(`${host}:${port} closed the connection without an answer`));
    state.pending = undefined;
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', end);
  socket.on('end', () => {
    end();
  });
  socket.on('close', () => {
    end();
  });
  return {
    exchange: ({ method = 'GET', path }) =>
      new Promise((resolve, reject) => {
        const startedMs = performance.now();
        const isHead = method === 'HEAD';
        state.pending = { isHead, startedMs, resolve, reject, headText: '', status: 0, promisedBytes: 0, bytes: 0 };
        socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept: */*\r\n\r\n`);
      }),
    isOpen: () => state.open,
    close: () => socket.destroy(),
  };
}

function readHead(pending: Pending, size: number): void {
  pending.headText += readBuffer.toString('latin1', 0, Math.min(size, headMax));
  const end = pending.headText.indexOf('\r\n\r\n');
  if (end < 0) return;
  const head = pending.headText.slice(0, end + 2);
  const bodyAlready = size - Math.min(size, headMax) + pending.headText.length - end - 4;
  pending.status = Number(head.slice(9, 12));
  pending.promisedBytes = pending.isHead ? 0 : Number(/\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1] ?? Number.NaN);
  if (Number.isNaN(pending.promisedBytes)) pending.promisedBytes = pending.status === 204 ? 0 : Infinity;
  pending.bytes = pending.isHead ? 0 : bodyAlready;
}

/** One exchange on a connection of its own. */
export async function exchangeOnce(address: Address, request: ExchangeRequest): Promise<Exchange> {
  const connection = await openConnection(address);
  try {
    return await connection.exchange(request);
  } finally {
    connection.close();
  }
}

/** The status, or undefined if nobody answers. */
export type AskStatus = (address: Address, request: ExchangeRequest) => Promise<number | undefined>;

export const statusOf: AskStatus = async (address, request) => {
  try {
    return (await exchangeOnce(address, request)).status;
  } catch {
    return undefined;
  }
};

export function canConnect({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (can: boolean): void => {
      socket.destroy();
      resolve(can);
    };
    socket.once('connect', () => {
      settle(true);
    });
    socket.once('error', () => {
      settle(false);
    });
  });
}
