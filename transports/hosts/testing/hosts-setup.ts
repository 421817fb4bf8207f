import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cleanHosts } from '../clean-hosts.ts';
import { configureHosts } from '../configure-hosts.ts';
import type { ConfigureOptions, HostsReport } from '../configure-hosts.ts';

/** A config path of its own, for one test. */
export interface HostsSetup extends Disposable {
  readonly root: string;
  /** Others write, making directories as they need. */
  write(path: string, text: string): void;
  read(path: string): string;
  exists(path: string): boolean;
  remove(path: string): void;
  /** Every file by its path, links as `-> target`, empty directories as `/`. */
  files(): Record<string, string>;
  /** `killAt`: killed before that change, counted from 1. */
  configure(options?: Partial<ConfigureOptions>, killAt?: number): Promise<HostsReport>;
  clean(killAt?: number): Promise<void>;
}

/** What a test throws where a process would be killed. */
export class Killed extends Error {}

export const target = 'http://10.0.0.7:5000';

export function setUpHosts(): HostsSetup {
  const root = mkdtempSync(join(quickDirectory(), 'peili-hosts-'));
  const at = (path: string): string => join(root, path);
  return {
    root,
    write: (path, text) => {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), text);
    },
    read: (path) => readFileSync(at(path), 'utf8'),
    exists: (path) => lstatSync(at(path), { throwIfNoEntry: false }) !== undefined,
    remove: (path) => {
      rmSync(at(path), { recursive: true, force: true });
    },
    files: () => listed(root, ''),
    configure: (options, killAt) =>
      configureHosts(killer(killAt), {
        configPath: root,
        mirroredRegistries: [],
        mirrorTargets: [target],
        resolveTags: true,
        prependExisting: false,
        ...options,
      }),
    clean: async (killAt) => {
      await cleanHosts(killer(killAt), { configPath: root });
    },
    [Symbol.dispose]: () => {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Memory where there is some: a test syncs files hundreds of times. */
function quickDirectory(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}

function killer(killAt = 0): { onChange: () => void } {
  let changes = 0;
  return {
    onChange: () => {
      changes += 1;
      if (changes === killAt) throw new Killed();
    },
  };
}

function listed(root: string, directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(root, path))}`;
    else if (entry.isDirectory()) {
      const inside = listed(root, path);
      if (Object.keys(inside).length === 0) found[`${path}/`] = '';
      Object.assign(found, inside);
    } else found[path] = readFileSync(join(root, path), 'latin1');
  }
  return found;
}
