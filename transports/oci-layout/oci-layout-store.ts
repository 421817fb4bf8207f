import { defaultLimits, PeiliError, settleOrAbort, silentObserver, throwIfAborted } from '../../core/index.ts';
import type { Clock, ContentStore, Limits, Observer, StoreChange } from '../../core/index.ts';
import { createBlobFiles } from '../system/blob-files.ts';
import type { BufferPool } from '../system/buffer-pool.ts';
import { blobPath, checkLayout } from './layout-files.ts';
import { createLayoutScans } from './layout-scans.ts';
import { listingOf } from './snapshot.ts';

export interface OciLayoutDeps {
  readonly clock: Clock;
  readonly buffers: BufferPool;
  readonly observer?: Observer;
}

export interface OciLayoutOptions {
  /** An OCI image layout: `oci-layout`, `index.json`, `blobs/`. */
  readonly directory: string;
  /** @default defaultLimits */
  readonly limits?: Limits;
}

export interface OciLayoutStore extends ContentStore {
  /** Stops watching. Bodies that are open go on. Idempotent. */
  close(): void;
  /** Calls, scans and bodies under way: zero when everything is at rest. */
  pending(): number;
}

/**
 * A directory as content store. What it holds is known from the last scan; the directories are watched, and a change is scanned soon after.
 * Rejects with `STORE_INVALID` for a directory that is no image layout.
 */
export async function createOciLayoutStore(deps: OciLayoutDeps, options: OciLayoutOptions): Promise<OciLayoutStore> {
  const { directory, limits = defaultLimits } = options;
  const { clock, buffers, observer = silentObserver } = deps;
  await checkLayout(directory);
  const listeners = new Set<(change: StoreChange) => void>();
  const onChange = (change: StoreChange): void => {
    for (const listener of listeners) listener(change);
  };
  const scans = createLayoutScans({ clock, observer, onChange }, { directory, limits });
  await scans.scan().catch((error: unknown) => {
    scans.close();
    throw error;
  });
  const files = createBlobFiles({ buffers }, limits);

  return {
    kind: 'oci-layout',
    resolve: async (reference, signal) => {
      throwIfAborted(signal);
      return scans.snapshot().tags.get(reference);
    },
    info: async (digest, signal) => {
      throwIfAborted(signal);
      return scans.snapshot().contents.get(digest);
    },
    open: async (digest, start, end, signal) => {
      throwIfAborted(signal);
      // Only digests that a scan has found get this far: no text of a request becomes a path.
      const content = scans.snapshot().contents.get(digest);
      if (content === undefined) throw new PeiliError('CONTENT_ABSENT', 'the layout has no such content', { digest });
      const { sizeBytes } = content;
      if (!(start >= 0 && start <= end && end <= sizeBytes)) {
        throw new RangeError(`[${String(start)}, ${String(end)}) is no range of ${String(sizeBytes)} bytes`);
      }
      return files.open({ path: blobPath(directory, digest), digest, sizeBytes }, start, end, signal);
    },
    list: async (signal) => {
      throwIfAborted(signal);
      await settleOrAbort(scans.scan(), signal);
      return listingOf(scans.snapshot());
    },
    watch: (listener) => {
      const own = (change: StoreChange): void => {
        listener(change);
      };
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    close: scans.close,
    pending: () => files.pending() + scans.pending(),
  };
}
