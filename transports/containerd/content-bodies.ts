import { errorCodeOf, PeiliError, throwIfAborted } from '../../core/index.ts';
import type { Body, Limits } from '../../core/index.ts';
import { createBlobFiles } from '../system/blob-files.ts';
import type { BufferPool } from '../system/buffer-pool.ts';
import type { BlobDirectory } from './blob-directory.ts';
import type { ContainerdApi } from './containerd-api.ts';
import { createRpcBody } from './rpc-body.ts';

/** The bytes of content: from its file, and where that cannot be read, from containerd. */
export interface ContentBodies {
  /** As `ContentStore.open`, for content that is present. */
  open(content: OpenedContent, start: number, end: number, signal: AbortSignal): Promise<Body>;
  pending(): number;
}

export interface OpenedContent {
  readonly digest: string;
  readonly sizeBytes: number;
}

export interface ContentBodiesDeps {
  readonly api: ContainerdApi;
  readonly buffers: BufferPool;
  readonly blobs: () => BlobDirectory;
  /** The file is not what it should be: look at it again. */
  readonly onSuspect: (digest: string) => void;
}

export function createContentBodies(deps: ContentBodiesDeps, limits: Limits): ContentBodies {
  const { api, buffers, blobs, onSuspect } = deps;
  const files = createBlobFiles({ buffers }, limits);
  const state = { pending: 0 };

  const openRpc = async (content: OpenedContent, start: number, end: number, signal: AbortSignal): Promise<Body> => {
    const { digest, sizeBytes } = content;
    const record = await api.content(digest, signal);
    if (record === undefined) throw new PeiliError('CONTENT_ABSENT', 'containerd has it no longer', { digest });
    if (record.sizeBytes !== sizeBytes) throw new PeiliError('STORE_FAILED', 'containerd has another size', { digest });
    throwIfAborted(signal);
    const lease = buffers.lease(Math.max(1, Math.min(limits.bufferMaxBytes, end - start)));
    state.pending += 1;
    const onReleased = (): void => {
      state.pending -= 1;
    };
    return createRpcBody({ api, digest, start, end, lease, signal, onReleased });
  };

  const open: ContentBodies['open'] = async (content, start, end, signal) => {
    const file = blobs().file(content);
    if (file === undefined) return openRpc(content, start, end, signal);
    try {
      return await files.open(file, start, end, signal);
    } catch (error) {
      if (!isFileFault(error)) throw error;
      onSuspect(content.digest);
      // A file of another size is not the content, whoever reads it.
      if ('sizeBytes' in error.details) throw error;
      return await openRpc(content, start, end, signal).catch((rpcError: unknown) => {
        // Without containerd, what the file says is what is known.
        throw errorCodeOf(rpcError)?.startsWith('CONTAINERD_') === true ? error : rpcError;
      });
    }
  };

  return { open, pending: () => files.pending() + state.pending };
}

function isFileFault(error: unknown): error is PeiliError {
  return error instanceof PeiliError && (error.code === 'CONTENT_ABSENT' || error.code === 'STORE_FAILED');
}
