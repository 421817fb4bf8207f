import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { abortReason, onAbort, PeiliError, throwIfAborted } from '../../core/index.ts';
import type { Method } from './services.ts';

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

const channelOptions = {
  // Servers in Go refuse an authority that is no host, as a socket's path would be.
  'grpc.default_authority': 'localhost',
  // What containerd sends at most in one message, by default.
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // A daemon that restarts is back within seconds, and a local socket costs nothing to try.
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
  // One connection for each client, whatever others of the same process have open.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
};

export function createRpcClient({ socket, headers = {} }: RpcClientOptions): RpcClient {
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), channelOptions);
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const state = { pending: 0 };

  const unary: RpcClient['unary'] = async (method, request, signal) => {
    throwIfAborted(signal);
    state.pending += 1;
    let unhook = (): void => undefined;
    try {
      return await new Promise((resolve, reject) => {
        const { path, serialize, deserialize } = method;
        const call = client.makeUnaryRequest(path, serialize, deserialize, request, metadata, (error, answer) => {
          if (answer === undefined) reject(failure(error, socket, path));
          else resolve(answer);
        });
        unhook = onAbort(signal, () => {
          reject(abortReason(signal));
          call.cancel();
        });
      });
    } finally {
      state.pending -= 1;
      unhook();
    }
  };

  const stream: RpcClient['stream'] = async (method, request, onMessage, signal) => {
    throwIfAborted(signal);
    const { path, serialize, deserialize } = method;
    state.pending += 1;
    let isOpen = true;
    let unhook = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const call = client.makeServerStreamRequest(path, serialize, deserialize, request, metadata);
        call.on('data', (message: Parameters<typeof onMessage>[0]) => {
          if (isOpen) onMessage(message);
        });
        call.on('end', resolve);
        call.on('error', (error: ServiceError) => {
          reject(failure(error, socket, path));
        });
        unhook = onAbort(signal, () => {
          reject(abortReason(signal));
          call.cancel();
        });
      });
    } finally {
      isOpen = false;
      state.pending -= 1;
      unhook();
    }
  };

  return {
    unary,
    stream,
    close: () => {
      client.close();
    },
    pending: () => state.pending,
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

function failure(error: ServiceError | null, socket: string, path: string): PeiliError {
  const name = status[error?.code ?? status.UNKNOWN] ?? 'UNKNOWN';
  const reason = error?.details ?? 'the answer has no message';
  const method = path.slice(path.lastIndexOf('.') + 1);
  if (error?.code === status.UNAVAILABLE) {
    return new PeiliError(
      'CONTAINERD_UNREACHABLE',
      `nothing answers at ${socket}: look whether containerd runs, whether this is its socket, and whether this process may open it (${reason})`,
      { socket, status: name },
      error,
    );
  }
  return new PeiliError('CONTAINERD_FAILED', `${method}: ${reason}`, { socket, status: name, method }, error);
}
