import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../../core/index.ts';
import { algorithms } from './layout-files.ts';

/** Watches the directories of a layout, as they come and go. */
export interface LayoutWatch {
  /** Makes sure that every directory that is there now is watched: before each scan, so that nothing falls between. */
  renew(): Promise<void>;
  close(): void;
}

export interface LayoutWatchOptions {
  readonly directory: string;
  /** Something may have changed in this directory: the entry of that name, if it is known. */
  readonly onChange: (directory: string, name: string | null) => void;
  /** Something may have changed unseen. */
  readonly onGap: (reason: string) => void;
}

interface Watched {
  readonly watcher: FSWatcher;
  /** Its inode and birth: a directory made anew may get the inode of the old one. */
  readonly identity: string;
}

export function createLayoutWatch({ directory, onChange, onGap }: LayoutWatchOptions): LayoutWatch {
  const paths = [directory, join(directory, 'blobs'), ...algorithms.map((name) => join(directory, 'blobs', name))];
  const watched = new Map<string, Watched>();
  const state = { closed: false };

  const drop = (path: string): void => {
    watched.get(path)?.watcher.close();
    watched.delete(path);
  };

  const start = (path: string, identity: string): void => {
    try {
      // Not persistent: a watched directory is no reason for a process to live.
      const watcher = watch(path, { persistent: false }, (_event, name) => {
        onChange(path, name);
      });
      watcher.on('error', (error) => {
        drop(path);
        onGap(reasonOf(error));
      });
      watched.set(path, { watcher, identity });
    } catch (error) {
      onGap(reasonOf(error));
    }
  };

  const renewOne = async (path: string): Promise<void> => {
    const stat = await lstat(path).catch(() => undefined);
    // Only the layout's own path may be a link.
    const isThere = stat !== undefined && (stat.isDirectory() || path === directory);
    const identity = isThere ? `${stat.ino} ${stat.birthtimeMs}` : undefined;
    if (state.closed || watched.get(path)?.identity === identity) return;
    drop(path);
    if (identity !== undefined) start(path, identity);
  };

  return {
    renew: async () => {
      for (const path of paths) await renewOne(path);
    },
    close: () => {
      state.closed = true;
      for (const path of paths) drop(path);
    },
  };
}
