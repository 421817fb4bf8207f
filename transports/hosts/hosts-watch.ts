import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { lstat } from 'node:fs/promises';

/** Says when something in a few directories may have changed, as these come and go. Not everything is seen everywhere: look from time to time, too. */
export interface HostsWatch {
  /** Watches these, and no others. */
  renew(paths: readonly string[]): Promise<void>;
  /** Whether changes in a directory are being seen. */
  sees(path: string): boolean;
  close(): void;
}

interface Watched {
  readonly watcher: FSWatcher;
  /** A directory that was made anew has the name of the old one, and none of its watchers. */
  readonly identity: string;
}

/** `onChange` gets the name of what changed, where the system tells it. */
export function createHostsWatch(onChange: (name: string | undefined) => void): HostsWatch {
  const watched = new Map<string, Watched>();
  const life = { closed: false };

  const drop = (path: string): void => {
    watched.get(path)?.watcher.close();
    watched.delete(path);
  };

  const renewOne = async (path: string): Promise<void> => {
    const stat = await lstat(path).catch(() => undefined);
    const identity = stat?.isDirectory() === true ? `${stat.ino} ${stat.birthtimeMs}` : undefined;
    if (life.closed || watched.get(path)?.identity === identity) return;
    drop(path);
    if (identity === undefined) return;
    try {
      // Not persistent: a watched directory is no reason for a process to live.
      const watcher = watch(path, { persistent: false }, (_event, name) => {
        onChange(name ?? undefined);
      });
      watcher.on('error', () => {
        drop(path);
      });
      watched.set(path, { watcher, identity });
    } catch {
      // No more watches to be had, or it is gone again: it is looked at from time to time.
    }
  };

  return {
    renew: async (paths) => {
      for (const path of watched.keys()) if (!paths.includes(path)) drop(path);
      for (const path of paths) await renewOne(path);
    },
    sees: (path) => watched.has(path),
    close: () => {
      life.closed = true;
      for (const path of watched.keys()) drop(path);
    },
  };
}
