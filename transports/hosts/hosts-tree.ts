import { join } from 'node:path';
import { isUnfinished, kindOf, namesIn, readBytes } from './hosts-files.ts';
import { backupDirectory } from './registry-directory.ts';

/** One registry's directory as it is now. */
export interface HostsDirectory {
  readonly name: string;
  readonly kind: 'directory' | 'link' | 'other' | 'absent';
  /** Its hosts.toml, one byte a character. */
  readonly current: string | undefined;
  /** The one that was put aside. */
  readonly saved: string | undefined;
  /** Other files in it. */
  readonly otherNames: readonly string[];
}

export type HostsTree = ReadonlyMap<string, HostsDirectory>;

export const hostsName = 'hosts.toml';

export function hostsPath(root: string, directory: string): string {
  return join(root, directory, hostsName);
}

export function savedPath(root: string, directory: string): string {
  return join(root, backupDirectory, directory, hostsName);
}

/** Every directory that is there or has something put aside. */
export async function readTree(root: string): Promise<HostsTree> {
  const [inPlace, aside] = await Promise.all([namesIn(root), namesIn(join(root, backupDirectory))]);
  const tree = new Map<string, HostsDirectory>();
  for (const name of new Set([...inPlace, ...aside])) {
    if (name === backupDirectory || name.startsWith('.')) continue;
    const directory = await readDirectory(root, name);
    if (directory.kind === 'directory' || directory.kind === 'link' || directory.saved !== undefined) {
      tree.set(name, directory);
    }
  }
  return tree;
}

export async function readDirectory(root: string, name: string): Promise<HostsDirectory> {
  const path = hostsPath(root, name);
  const kind = await kindOf(join(root, name));
  const names = kind === 'directory' ? await namesIn(join(root, name)) : [];
  return {
    name,
    kind,
    current: kind === 'directory' ? await readBytes(path) : undefined,
    saved: await readBytes(savedPath(root, name), path),
    otherNames: names.filter((file) => file !== hostsName && !isUnfinished(file)),
  };
}
