import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { PeiliError, reasonOf } from '../../core/index.ts';
import { findBlock, isAllOurs } from './hosts-block.ts';
import type { HostsDeps } from './configure-hosts.ts';
import { createHostsFiles, isUnfinished, kindOf, namesIn } from './hosts-files.ts';
import type { HostsFiles } from './hosts-files.ts';
import { cleanupPath, readState, statePath, writeCleanup, writeState } from './hosts-state.ts';
import type { HostsState } from './hosts-state.ts';
import { hostsPath, readTree } from './hosts-tree.ts';
import type { HostsDirectory, HostsTree } from './hosts-tree.ts';
import { backupDirectory } from './registry-directory.ts';
import { removeUnfinished, restoreDirectory } from './restore-hosts.ts';
import { isSpegelFile } from './spegel-files.ts';

export interface CleanReport {
  /** Directories in which something of ours was. */
  readonly restored: readonly string[];
}

/**
 * Leaves what others wrote, byte for byte, and nothing of ours. Does nothing where nothing was configured, and goes on where a run was killed,
 * be it one of its own or a configuration's. Rejects with `HOSTS_INVALID` or `HOSTS_UNWRITABLE`.
 */
export async function cleanHosts(deps: HostsDeps, options: { readonly configPath: string }): Promise<CleanReport> {
  const root = await rootOf(options.configPath);
  if (root === undefined) return { restored: [] };
  const files = createHostsFiles({ root, onChange: deps.onChange });
  const state = await beginCleanup(files);
  if (state === undefined) return { restored: [] };
  const tree = await readTree(root);
  if (state.replacesSpegel === true) await removeSpegelFiles(files, tree);
  const restored: string[] = [];
  for (const name of new Set([...tree.keys(), ...state.made])) {
    const directory = tree.get(name);
    const isMade = state.made.includes(name);
    if (!isMade && !isTouched(directory)) continue;
    await restoreDirectory(files, name, { isMade: isMade || isOursAlone(directory) });
    restored.push(name);
  }
  for (const name of await namesIn(root)) {
    if (name !== backupDirectory) await removeUnfinished(files, join(root, name));
  }
  await moveBack(files, join(root, backupDirectory), root);
  await files.remove(cleanupPath(root));
  await files.removeDirectory(join(root, backupDirectory));
  return { restored };
}

/** Whether Spegel has configured this node, and was not cleaned up: what it put aside is what was here before. */
export async function needsTakeover(root: string): Promise<boolean> {
  if ((await kindOf(join(root, backupDirectory))) !== 'directory') return false;
  const directories = [...(await readTree(root)).values()];
  // It leaves nothing of others in place: beside a file of ours, one in its form is an administrator's.
  return directories.some(isSpegelFile) && !directories.some(isOurs);
}

/** From here on nobody mends. Undefined: there is nothing to do. */
async function beginCleanup(files: HostsFiles): Promise<HostsState | undefined> {
  const { root } = files;
  const { state, cleaning } = await readState(root);
  if (cleaning) return state ?? emptyState(false);
  const replacesSpegel = await needsTakeover(root);
  if (state !== undefined) {
    // Spegel was back on this node meanwhile, and left aside what ours had put there.
    const last = replacesSpegel ? { ...state, replacesSpegel } : state;
    if (replacesSpegel) await writeState(files, last);
    await files.move(statePath(root), cleanupPath(root));
    return last;
  }
  const isNeeded = replacesSpegel || [...(await readTree(root)).values()].some(isOurs);
  if (!isNeeded) {
    // A configuration may have been killed before it had begun.
    await removeUnfinished(files, join(root, backupDirectory));
    await files.removeDirectory(join(root, backupDirectory));
    return undefined;
  }
  await files.makeDirectory(join(root, backupDirectory));
  const begun = emptyState(replacesSpegel);
  await writeCleanup(files, begun);
  return begun;
}

function emptyState(replacesSpegel: boolean): HostsState {
  return {
    version: 1,
    mirroredRegistries: [],
    mirrorTargets: [],
    resolveTags: true,
    prependExisting: false,
    directories: [],
    made: [],
    ...(replacesSpegel ? { replacesSpegel } : {}),
  };
}

function isOurs({ current }: HostsDirectory): boolean {
  return current !== undefined && findBlock(current) !== undefined;
}

function isTouched(directory: HostsDirectory | undefined): boolean {
  return directory !== undefined && (directory.saved !== undefined || isOurs(directory));
}

/** A directory with nothing in it but our file, where it is not known any more who made it. */
function isOursAlone(directory: HostsDirectory | undefined): boolean {
  if (directory?.current === undefined || directory.saved !== undefined || directory.otherNames.length > 0)
    return false;
  return isAllOurs(directory.current);
}

async function removeSpegelFiles(files: HostsFiles, tree: HostsTree): Promise<void> {
  for (const directory of tree.values()) {
    if (!isSpegelFile(directory)) continue;
    const { name } = directory;
    await files.remove(hostsPath(files.root, name));
    await files.removeDirectory(join(files.root, name));
  }
}

/** Whatever else was put aside, as Spegel does with whole directories. What others have written since is their last word. */
async function moveBack(files: HostsFiles, from: string, to: string): Promise<void> {
  for (const name of await namesIn(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (source === cleanupPath(files.root)) continue;
    const [kind, there] = await Promise.all([kindOf(source), kindOf(target)]);
    // Ours, be it that nobody can read it any more.
    if (isUnfinished(name) || source === statePath(files.root)) await files.remove(source);
    else if (there === 'absent') await files.move(source, target);
    else if (kind === 'directory' && there === 'directory') {
      await moveBack(files, source, target);
      await files.removeDirectory(source);
    } else await discard(files, source, kind);
  }
}

async function discard(files: HostsFiles, path: string, kind: Awaited<ReturnType<typeof kindOf>>): Promise<void> {
  if (kind !== 'directory') return files.remove(path);
  for (const name of await namesIn(path)) await discard(files, join(path, name), await kindOf(join(path, name)));
  return files.removeDirectory(path);
}

async function rootOf(configPath: string): Promise<string | undefined> {
  try {
    return await realpath(configPath);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new PeiliError('HOSTS_INVALID', `cannot read ${configPath}: ${reasonOf(error)}`, { path: configPath }, error);
  }
}
