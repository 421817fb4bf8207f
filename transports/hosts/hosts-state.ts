import { join } from 'node:path';
import { array, boolean, literal, object, optional, safeParse, string } from 'valibot';
import type { InferOutput } from 'valibot';
import { PeiliError } from '../../core/index.ts';
import { fromBytes, toBytes } from './hosts-block.ts';
import { readBytes } from './hosts-files.ts';
import type { HostsFiles } from './hosts-files.ts';
import { backupDirectory } from './registry-directory.ts';

/** What a configuration was told, and what it found: enough for a running mirror to mend it, and for a later run to go on. Holds no secret. */
const stateSchema = object({
  version: literal(1),
  mirroredRegistries: array(string()),
  mirrorTargets: array(string()),
  resolveTags: boolean(),
  prependExisting: boolean(),
  /** Directories that have, or shall have, a file of ours. */
  directories: array(string()),
  /** Those of them that were not there before. */
  made: array(string()),
  /** In a cleanup: what Spegel wrote and put aside is undone as it would have done it. */
  replacesSpegel: optional(boolean()),
});

export type HostsState = InferOutput<typeof stateSchema>;

const stateName = 'peili.json';
/** The same file under this name: a cleanup has begun, and nobody may mend. */
export const cleanupName = 'peili-cleanup.json';

/** Everybody may read it, as it holds no secret. */
const stateMode = 0o644;

export interface FoundState {
  /** Undefined: never configured, or what is there cannot be read, or is of another version. */
  readonly state: HostsState | undefined;
  readonly cleaning: boolean;
}

export function statePath(root: string): string {
  return join(root, backupDirectory, stateName);
}

export function cleanupPath(root: string): string {
  return join(root, backupDirectory, cleanupName);
}

/** Throws `HOSTS_INVALID` when a later version wrote it: its files may mean something else. */
export async function readState(root: string): Promise<FoundState> {
  const cleaning = await readBytes(cleanupPath(root));
  const path = cleaning === undefined ? statePath(root) : cleanupPath(root);
  const bytes = cleaning ?? (await readBytes(path));
  return { state: bytes === undefined ? undefined : parseState(bytes, path), cleaning: cleaning !== undefined };
}

export function writeState(files: HostsFiles, state: HostsState): Promise<void> {
  return files.write(statePath(files.root), stateBytes(state), stateMode);
}

export function writeCleanup(files: HostsFiles, state: HostsState): Promise<void> {
  return files.write(cleanupPath(files.root), stateBytes(state), stateMode);
}

function stateBytes(state: HostsState): string {
  return toBytes(`${JSON.stringify(state, undefined, 2)}\n`);
}

function parseState(bytes: string, path: string): HostsState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(fromBytes(bytes));
  } catch {
    return undefined; // Not ours any more: what is in the files themselves says enough.
  }
  const parsed = safeParse(stateSchema, value);
  if (parsed.success) return parsed.output;
  if (typeof value === 'object' && value !== null && 'version' in value && value.version !== 1) {
    const message = `${path} is of version ${String(value.version)}, and only version 1 is understood`;
    throw new PeiliError('HOSTS_INVALID', message, { path });
  }
  return undefined;
}

export function sameState(one: HostsState | undefined, other: HostsState): boolean {
  return one !== undefined && stateBytes(one) === stateBytes(other);
}
