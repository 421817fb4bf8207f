import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { abortReason, onAbort, PeiliError, throwIfAborted } from '../../core/index.ts';
import type { RpcClient, RpcClientOptions } from './rpc-client.ts';
import { wireMethod } from './services.ts';

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

/** @see RpcClient */
export function createGrpcClient({ socket, headers = {} }: RpcClientOptions): RpcClient {
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
        const { path, serialize, deserialize } = wireMethod(method);
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
    const { path, serialize, deserialize } = wireMethod(method);
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

function failure(error: ServiceError | null, socket: string, path: string): PeiliError {
  const name = status[error?.code ?? status.UNKNOWN] ?? 'UNKNOWN';
  const reason = error?.details ?? 'the answer has no message';
  const method = path.slice(path.lastIndexOf('.') + 1);
  if (error?.code === status.UNAVAILABLE) {
    const cause = causeOf(reason);
    return new PeiliError(
      'CONTAINERD_UNREACHABLE',
      `nothing answers at ${socket}: look whether containerd runs, whether --containerd-sock names its socket, and whether this process may open it (${cause})`,
      { socket, status: name, cause },
      error,
    );
  }
  return new PeiliError('CONTAINERD_FAILED', `${method}: ${reason}`, { socket, status: name, method }, error);
}

/** gRPC's library wraps the system's own words: `connect ENOENT /run/containerd/containerd.sock`. */
function causeOf(reason: string): string {
  return /Last error: (?:Error: )?(.+?)\. Resolution note/.exec(reason)?.[1] ?? reason;
}
