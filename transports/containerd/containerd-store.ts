import { defaultLimits, PeiliError, settleOrAbort, silentObserver, throwIfAborted } from '../../core/index.ts';
import type { Clock, ContentStore, Limits, Observer, StoreChange } from '../../core/index.ts';
import type { Readiness } from '../http/answer.ts';
import type { BufferPool } from '../system/buffer-pool.ts';
import { createBlobDirectory } from './blob-directory.ts';
import { createBlobWatch } from './blob-watch.ts';
import { createContainerdApi } from './containerd-api.ts';
import { createContentBodies } from './content-bodies.ts';
import { StoreIndex } from './store-index.ts';
import { createStoreLink } from './store-link.ts';
import { createStoreReader } from './store-reader.ts';
import { createStoreTurns } from './store-turns.ts';

export interface ContainerdStoreDeps {
  readonly clock: Clock;
  readonly buffers: BufferPool;
  readonly observer?: Observer;
}

export interface ContainerdStoreOptions {
  /** The path of containerd's socket. */
  readonly socket: string;
  /** What this namespace holds is served, nothing else: Kubernetes' is `k8s.io`. */
  readonly namespace: string;
  /** The directory that has `blobs/`, as this process sees it. @default asked from containerd */
  readonly contentPath?: string | undefined;
  /** @default defaultLimits */
  readonly limits?: Limits;
}

export interface ContainerdStore extends ContentStore {
  /** Not ready until containerd has been read once; from then on what is known is served, containerd or not. */
  readiness(): Readiness;
  /** Ends the connection and the watch. Bodies of open files go on. Idempotent. */
  close(): void;
  /** Readings and bodies under way: zero when everything is at rest. */
  pending(): number;
}

/** Where containerd's content lies unless it says otherwise. */
const usualContentPath = '/var/lib/containerd/io.containerd.content.v1.content';

/**
 * What a namespace of containerd holds. Returns at once: it connects, and connects again, for ever; the observer is told (`store-connection`).
 * `list` rejects with `CONTAINERD_UNREACHABLE` while there is no connection, so that nobody takes silence for an empty store; what was known stays known.
 */
export function createContainerdStore(deps: ContainerdStoreDeps, options: ContainerdStoreOptions): ContainerdStore {
  const { clock, buffers, observer = silentObserver } = deps;
  const { socket, namespace, contentPath, limits = defaultLimits } = options;
  const listeners = new Set<(change: StoreChange) => void>();
  const tell = (change: StoreChange): void => {
    for (const listener of listeners) listener(change);
  };
  const place = { blobs: createBlobDirectory(contentPath), path: contentPath };
  const blobs = (): typeof place.blobs => place.blobs;
  const api = createContainerdApi({ clock }, { socket, namespace, limits });
  const index = new StoreIndex({
    namesPerImageMax: limits.storeNamesPerImageMax,
    manifestMaxBytes: limits.manifestMaxBytes,
    onSkipped: (name) => {
      observer.onNode({ type: 'name-skipped', name, reason: 'it is no registry/repository:tag' });
    },
  });
  const watch = createBlobWatch({
    onContent: (digest) => {
      turns.contentChanged(digest);
    },
    onAnything: () => {
      turns.somethingChanged(limits.storeScanDelayUs);
    },
    onGap: () => {
      turns.somethingChanged(limits.storeScanRetryUs);
    },
  });
  const reader = createStoreReader({ api, index, blobs, beforeReading: () => watch.renew(place.path) }, limits);
  const turns = createStoreTurns(
    {
      clock,
      reader,
      isWatching: () => blobs().isVisible(),
      onRead: () => {
        for (const change of index.takeChanges()) tell(change);
      },
    },
    limits,
  );
  const prepare = async (signal: AbortSignal): Promise<void> => {
    const path = contentPath ?? (await api.contentPath(signal)) ?? usualContentPath;
    if (path !== place.path) Object.assign(place, { blobs: createBlobDirectory(path), path });
  };
  const link = createStoreLink(
    { clock, api, turns },
    {
      limits,
      prepare,
      onState: (connected, reason, attempts) => {
        const how = blobs().isVisible() ? `blobs in ${place.path}` : unseen(place.path);
        observer.onNode({
          type: 'store-connection',
          store: 'containerd',
          connected,
          reason: connected ? `${reason}, ${how}` : reason,
        });
        // Who could not list before may list now.
        if (connected && attempts > 1) tell({ type: 'gap', reason: 'containerd answers again' });
      },
    },
  );
  const onSuspect = (digest: string): void => {
    turns.contentChanged(digest);
  };
  const bodies = createContentBodies({ api, buffers, blobs, onSuspect }, limits);
  link.start();

  return {
    kind: 'containerd',
    resolve: async (reference, signal) => {
      throwIfAborted(signal);
      return index.tag(reference);
    },
    info: async (digest, signal) => {
      throwIfAborted(signal);
      return index.info(digest);
    },
    open: async (digest, start, end, signal) => {
      throwIfAborted(signal);
      // Only digests that containerd has listed get this far: no text of a request becomes a path.
      const content = index.info(digest);
      if (content === undefined) throw new PeiliError('CONTENT_ABSENT', 'containerd has no such content', { digest });
      const { sizeBytes } = content;
      if (!(start >= 0 && start <= end && end <= sizeBytes)) {
        throw new RangeError(`[${String(start)}, ${String(end)}) is no range of ${String(sizeBytes)} bytes`);
      }
      return bodies.open(content, start, end, signal);
    },
    list: async (signal) => {
      throwIfAborted(signal);
      const isFresh = await link.ready(signal);
      if (!isFresh) await settleOrAbort(turns.readAll(), signal);
      return index.listing();
    },
    watch: (listener) => {
      const own = (change: StoreChange): void => {
        listener(change);
      };
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    readiness: () => ({ ready: link.wasConnected(), reason: link.reason() }),
    close: () => {
      link.close();
      turns.close();
      watch.close();
      api.close();
    },
    pending: () => bodies.pending() + turns.pending(),
  };
}

function unseen(path: string | undefined): string {
  return `blobs are read through its socket, which is slower, since ${String(path)} cannot be seen from here: mount it, or give --containerd-content-path`;
}
