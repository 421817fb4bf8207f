import { createBlobDirectory } from './blob-directory.ts';
import type { BlobDirectory } from './blob-directory.ts';
import { createBlobWatch } from './blob-watch.ts';
import type { BlobWatchOptions } from './blob-watch.ts';
import type { ContainerdApi } from './containerd-api.ts';

/** Where containerd keeps its content, and what can be seen of it from here. */
export interface ContentPlace {
  blobs(): BlobDirectory;
  /** Asks containerd, unless it was said: before anything is read of a containerd that may be another one. */
  find(signal: AbortSignal): Promise<void>;
  /** Makes sure that what can be seen is watched. */
  watch(): Promise<void>;
  /** For the log: how blobs are read, and what to do if that is slow. */
  inWords(): string;
  close(): void;
}

/** Where containerd's content lies unless it says otherwise. */
const usualPath = '/var/lib/containerd/io.containerd.content.v1.content';

/** `contentPath`: as this process sees it; undefined: containerd is asked. */
export function createContentPlace(
  api: Pick<ContainerdApi, 'contentPath'>,
  contentPath: string | undefined,
  onChange: BlobWatchOptions,
): ContentPlace {
  const watch = createBlobWatch(onChange);
  const state = { path: contentPath, blobs: createBlobDirectory(contentPath) };
  return {
    blobs: () => state.blobs,
    find: async (signal) => {
      const path = contentPath ?? (await api.contentPath(signal)) ?? usualPath;
      if (path === state.path) return;
      state.path = path;
      state.blobs = createBlobDirectory(path);
    },
    watch: () => watch.renew(state.path),
    inWords: () =>
      state.blobs.isVisible()
        ? `blobs in ${String(state.path)}`
        : `blobs are read through its socket, which is slower, since ${String(state.path)} cannot be seen from here: mount it, or give --containerd-content-path`,
    close: watch.close,
  };
}
