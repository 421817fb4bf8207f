import type { FileHandle } from 'node:fs/promises';
import { bytesBody, defaultLimits, throwIfAborted } from '../../core/index.ts';
import type { Body, Limits } from '../../core/index.ts';
import { openBlob } from './blob-file.ts';
import type { BlobFile } from './blob-file.ts';
import type { BufferPool } from './buffer-pool.ts';
import { createFileBody } from './file-body.ts';
import { createSmallFiles } from './small-files.ts';

/** Reads blobs from files: small ones from a cache of whole files, large ones through the shared buffers. */
export interface BlobFiles {
  /** As `ContentStore.open`: `CONTENT_ABSENT` if the file is gone or no regular file, `STORE_FAILED` if it is not whole or cannot be read. */
  open(file: BlobFile, start: number, end: number, signal: AbortSignal): Promise<Body>;
  /** Files open or being opened: zero when everything is at rest. */
  pending(): number;
}

export function createBlobFiles(deps: { readonly buffers: BufferPool }, limits: Limits = defaultLimits): BlobFiles {
  const small = createSmallFiles(limits);
  const state = { pending: 0 };

  const openSmall = async (file: BlobFile, start: number, end: number, signal: AbortSignal): Promise<Body> => {
    state.pending += 1;
    try {
      const bytes = await small.read(file);
      throwIfAborted(signal);
      return bytesBody(bytes.subarray(start, end));
    } finally {
      state.pending -= 1;
    }
  };

  const openLarge = async (file: BlobFile, start: number, end: number, signal: AbortSignal): Promise<Body> => {
    state.pending += 1;
    let handle: FileHandle | undefined;
    try {
      handle = await openBlob(file);
      throwIfAborted(signal);
      const lease = deps.buffers.lease(Math.min(limits.bufferMaxBytes, end - start), 2);
      const onReleased = (): void => {
        state.pending -= 1;
      };
      return createFileBody({ handle, lease, start, end, signal, onReleased });
    } catch (error) {
      state.pending -= 1;
      await handle?.close().catch(() => undefined);
      throw error;
    }
  };

  const open = async (file: BlobFile, start: number, end: number, signal: AbortSignal): Promise<Body> => {
    throwIfAborted(signal);
    const isSmall = file.sizeBytes <= limits.smallContentMaxBytes;
    return isSmall ? openSmall(file, start, end, signal) : openLarge(file, start, end, signal);
  };

  return { open, pending: () => state.pending };
}
