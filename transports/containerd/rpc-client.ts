import { PeiliError, throwIfAborted } from '../../core/index.ts';
import type { Method } from './rpc-method.ts';

/** Calls over one of containerd's sockets. */
export interface RpcClient {
  /** Rejects with `CONTAINERD_UNREACHABLE`, `CONTAINERD_FAILED`, or the signal's reason. */
  unary<Answer>(method: Method<Answer>, request: object, signal: AbortSignal): Promise<Answer>;
  /** Calls back for each message; resolves when the server has ended the stream well, rejects as `unary` does. */
  stream<Answer>(
    method: Method<Answer>,
    request: object,
    onMessage: (message: Answer) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Ends the connection and every call. Idempotent. */
  close(): void;
  /** Calls under way. */
  pending(): number;
}

export interface RpcClientOptions {
  /** The path of a unix socket. */
  readonly socket: string;
  /** Sent with every call. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** gRPC's library is loaded by the first call: most commands of a program never make one. */
export function createRpcClient(options: RpcClientOptions): RpcClient {
  const state: { client: Promise<RpcClient> | undefined; loaded: RpcClient | undefined; closed: boolean } = {
    client: undefined,
    loaded: undefined,
    closed: false,
  };
  const load = async (): Promise<RpcClient> => {
    const { createGrpcClient } = await import('./grpc-client.ts');
    const client = createGrpcClient(options);
    state.loaded = client;
    if (state.closed) client.close();
    return client;
  };
  const client = (signal: AbortSignal): Promise<RpcClient> => {
    throwIfAborted(signal);
    return (state.client ??= load());
  };
  return {
    unary: async (method, request, signal) => (await client(signal)).unary(method, request, signal),
    stream: async (method, request, onMessage, signal) =>
      (await client(signal)).stream(method, request, onMessage, signal),
    close: () => {
      state.closed = true;
      state.loaded?.close();
    },
    pending: () => state.loaded?.pending() ?? 0,
  };
}

/** Undefined for what the server says it does not have; other failures are thrown on. */
export async function unlessNotFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof PeiliError && error.details['status'] === 'NOT_FOUND') return undefined;
    throw error;
  }
}
