import { basename } from 'node:path';
import { isDigest } from '../../core/index.ts';
import { createLayoutWatch } from '../oci-layout/layout-watch.ts';
import type { LayoutWatch } from '../oci-layout/layout-watch.ts';

/** Watches the directories of containerd's blobs: what happens to a file there is the sign that content may have come or gone. */
export interface BlobWatch {
  /** Makes sure that every directory that is there now is watched, below this path: before each reading, so that nothing falls between. */
  renew(contentPath: string | undefined): Promise<void>;
  close(): void;
}

export interface BlobWatchOptions {
  /** The file of this digest came, went or changed. */
  readonly onContent: (digest: string) => void;
  /** A directory of blobs came or went. */
  readonly onAnything: () => void;
  /** Something may have happened unseen. */
  readonly onGap: () => void;
}

export function createBlobWatch({ onContent, onAnything, onGap }: BlobWatchOptions): BlobWatch {
  const state: { path: string | undefined; watch: LayoutWatch | undefined } = { path: undefined, watch: undefined };
  const onChange = (directory: string, name: string | null): void => {
    const digest = `${basename(directory)}:${name ?? ''}`;
    if (isDigest(digest)) onContent(digest);
    // Beside the blobs are the ingests, whose coming and going says nothing.
    else if (name !== 'ingest') onAnything();
  };
  return {
    renew: async (path) => {
      if (path !== state.path) {
        state.watch?.close();
        state.watch = path === undefined ? undefined : createLayoutWatch({ directory: path, onChange, onGap });
        state.path = path;
      }
      await state.watch?.renew();
    },
    close: () => {
      state.watch?.close();
    },
  };
}
