import { defaultLimits, PeiliError, settleOrAbort, silentObserver, throwIfAborted } from '../../core/index.ts';
import type { Clock, ContentStore, Limits, Observer, StoreChange } from '../../core/index.ts';
import type { Readiness } from '../http/answer.ts';
import type { BufferPool } from '../system/buffer-pool.ts';
import { createContainerdApi } from './containerd-api.ts';
import { createContentBodies } from './content-bodies.ts';
import { followStore } from './follow-store.ts';

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

/**
 * What a namespace of containerd holds. Returns at once: it connects, and connects again, for ever; the observer is told (`store-connection`).
 * `list` rejects with `CONTAINERD_UNREACHABLE` while there is no connection, so that nobody takes silence for an empty store; what was known stays known.
 */
export function createContainerdStore(deps: ContainerdStoreDeps, options: ContainerdStoreOptions): ContainerdStore {
  const { clock, buffers, observer = silentObserver } = deps;
  const { socket, namespace, contentPath, limits = defaultLimits } = options;
  const listeners = new Set<(change: StoreChange) => void>();
  const onChange = (change: StoreChange): void => {
    for (const listener of listeners) listener(change);
  };
  const api = createContainerdApi({ clock }, { socket, namespace, limits });
  const { index, place, turns, link } = followStore({ clock, api, observer, onChange }, { contentPath, limits });
  const onSuspect = (digest: string): void => {
    turns.contentChanged(digest);
  };
  const bodies = createContentBodies({ api, buffers, blobs: place.blobs, onSuspect }, limits);

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
      place.close();
      api.close();
    },
    pending: () => bodies.pending() + turns.pending(),
  };
}
