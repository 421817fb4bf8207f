import { join } from 'node:path';
import { PeiliError } from '../../core/index.ts';
import { danglingLink, isUnfinished, kindOf, namesIn, readBytes } from './hosts-files.ts';
import { backupDirectory } from './registry-directory.ts';

/** One registry's directory as it is now. */
export interface HostsDirectory {
  readonly name: string;
  readonly kind: 'directory' | 'link' | 'other' | 'absent';
  /** Its hosts.toml, one byte a character. */
  readonly current: string | undefined;
  /** The one that was put aside. */
  readonly saved: string | undefined;
  /** A link into nowhere: containerd reads nothing there, and neither can anybody here. */
  readonly dangling: string | undefined;
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

/** Every directory that is there or has something put aside. Rejects with `HOSTS_INVALID` where putting aside would write elsewhere. */
export async function readTree(root: string): Promise<HostsTree> {
  await refuseLink(join(root, backupDirectory));
  const [inPlace, aside] = await Promise.all([namesIn(root), namesIn(join(root, backupDirectory))]);
  const tree = new Map<string, HostsDirectory>();
  for (const name of new Set([...inPlace, ...aside])) {
    if (name === backupDirectory || name.startsWith('.')) continue;
    if (aside.includes(name)) await refuseLink(join(root, backupDirectory, name));
    const directory = await readDirectory(root, name);
    if (directory.kind === 'directory' || directory.kind === 'link' || directory.saved !== undefined) {
      tree.set(name, directory);
    }
  }
  return tree;
}

async function refuseLink(path: string): Promise<void> {
  if ((await kindOf(path)) !== 'link') return;
  throw new PeiliError('HOSTS_INVALID', `${path} is a link, behind which nothing is changed: remove it`, { path });
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
    dangling: (await danglingLink(path)) ?? (await danglingLink(savedPath(root, name), path)),
    otherNames: names.filter((file) => file !== hostsName && !isUnfinished(file)),
  };
}
