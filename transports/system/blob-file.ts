import { constants } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { PeiliError } from '../../core/index.ts';

/** A blob that a store keeps as a file. */
export interface BlobFile {
  readonly path: string;
  readonly digest: string;
  /** What the store says of it; a file of another size is not the content. */
  readonly sizeBytes: number;
}

/** A link leads out of the store, and opening a pipe would wait for its writer: neither is followed. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Opens a blob's file, if it is one and has its size. `CONTENT_ABSENT`, `STORE_FAILED`. */
export async function openBlob(file: BlobFile): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await openFile(file.path, openFlags);
  } catch (cause) {
    throw openError(file, cause);
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new PeiliError('CONTENT_ABSENT', 'the content is no regular file', { path: file.path });
    if (stat.size !== file.sizeBytes) throw sizeError(file, stat.size);
    return handle;
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

/** All bytes of a small blob. Same errors. */
export async function readBlob(file: BlobFile): Promise<Uint8Array> {
  const handle = await openBlob(file);
  try {
    const bytes = new Uint8Array(file.sizeBytes);
    const { bytesRead } = await handle.read(bytes, 0, file.sizeBytes, 0);
    if (bytesRead !== file.sizeBytes) throw sizeError(file, bytesRead);
    return bytes;
  } catch (cause) {
    throw cause instanceof PeiliError ? cause : openError(file, cause);
  } finally {
    await handle.close().catch(() => undefined);
  }
}

/** What a failed file operation on a blob means. */
export function openError(file: BlobFile, cause: unknown): PeiliError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const absent = code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENXIO';
  const details = { digest: file.digest, reason: code };
  if (absent) return new PeiliError('CONTENT_ABSENT', 'the content is no longer in the store', details, cause);
  return new PeiliError('STORE_FAILED', 'the content cannot be read', details, cause);
}

function sizeError(file: BlobFile, sizeBytes: number): PeiliError {
  return new PeiliError('STORE_FAILED', 'the file of the content has another size than promised', {
    digest: file.digest,
    promisedBytes: file.sizeBytes,
    sizeBytes,
  });
}
