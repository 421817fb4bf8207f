import { mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PeiliError, reasonOf } from '../../core/index.ts';
import { cleanHosts, needsTakeover } from './clean-hosts.ts';
import { isAllOurs } from './hosts-block.ts';
import { createHostsFiles, readBytes } from './hosts-files.ts';
import type { HostsFiles } from './hosts-files.ts';
import { planHosts } from './hosts-plan.ts';
import type { DirectoryPlan, HostsOptions, HostsPlan } from './hosts-plan.ts';
import { readState, sameState, writeState } from './hosts-state.ts';
import { hostsPath, readTree, savedPath } from './hosts-tree.ts';
import { backupDirectory } from './registry-directory.ts';
import { restoreDirectory } from './restore-hosts.ts';

export interface ConfigureOptions extends HostsOptions {
  /** The directory that containerd's `config_path` names. */
  readonly configPath: string;
  /** The Authorization field that containerd shall send to mirrors. */
  readonly authorization?: string | undefined;
}

export interface HostsReport {
  /** hosts.toml files that were written. */
  readonly written: readonly { readonly path: string; readonly reason: 'missing' | 'changed' }[];
  /** Directories where what others wrote is in place again. */
  readonly restored: readonly string[];
  /** Directories that containerd reads instead of the default, without a mirror. */
  readonly bypassing: readonly string[];
  /** Somebody else changed a file at the same time, so that it was left alone. */
  readonly isOutdated: boolean;
}

/** Somebody else writes at the same time: a running mirror, which is content soon, or who starts with the node. */
const runsMax = 5;

export interface HostsDeps {
  /** Told before each change to the files. */
  readonly onChange?: ((what: string, path: string) => void) | undefined;
}

/**
 * Tells containerd about mirrors. What was there is put aside for `cleanHosts`; a second run changes what has changed.
 * Rejects with `OPTION_INVALID` or `HOSTS_INVALID` before anything is changed, with `HOSTS_UNWRITABLE` where a change was refused: run it again then.
 */
export async function configureHosts(deps: HostsDeps, options: ConfigureOptions): Promise<HostsReport> {
  const root = await makeRoot(options.configPath);
  const files = createHostsFiles({ root, onChange: deps.onChange });
  const found = await readState(root);
  if (found.cleaning || (await needsTakeover(root))) await cleanHosts(deps, options);
  const reports: HostsReport[] = [];
  for (let run = 0; run < runsMax && reports.at(-1)?.isOutdated !== false; run += 1) {
    const { state } = await readState(root);
    const plan = planHosts({ ...options, root, authorization: options.authorization }, state, await readTree(root));
    const [refusal] = plan.refusals;
    if (refusal !== undefined) throw refusal;
    reports.push(await applyPlan(files, plan, options.authorization !== undefined));
  }
  const last = reports.at(-1);
  if (last?.isOutdated !== false) {
    const message = `${root}: somebody else changes hosts.toml at the same time, again and again: run it again`;
    throw new PeiliError('HOSTS_UNWRITABLE', message, { path: root });
  }
  return {
    written: reports.flatMap(({ written }) => written),
    restored: reports.flatMap(({ restored }) => restored),
    bypassing: last.bypassing,
    isOutdated: false,
  };
}

/** Carries a plan out, one whole change after the other: wherever it is killed, the next run goes on. Rejects with the first refusal, when all else is done. */
export async function applyPlan(files: HostsFiles, plan: HostsPlan, isSecret: boolean): Promise<HostsReport> {
  const { root } = files;
  const { state, stale, directories } = plan;
  await files.makeDirectory(join(root, backupDirectory));
  const { state: before } = await readState(root);
  // First of all what is going to be: a directory may be removed by whoever knows that it was made.
  const until = {
    ...state,
    directories: [...state.directories, ...stale],
    made: [...state.made, ...stale.filter((name) => before?.made.includes(name))],
  };
  if (!sameState(before, until)) await writeState(files, until);
  for (const name of stale) await restoreDirectory(files, name, { isMade: until.made.includes(name) });
  const written: HostsReport['written'][number][] = [];
  const outdated: string[] = [];
  const refused: PeiliError[] = [];
  for (const directory of directories) {
    const { name, write, reason } = directory;
    try {
      const isDone = await applyDirectory(files, directory, isSecret ? 0o600 : 0o644);
      if (!isDone) outdated.push(name);
      else if (write !== undefined) written.push({ path: hostsPath(root, name), reason });
    } catch (error) {
      if (!(error instanceof PeiliError)) throw error;
      refused.push(error);
    }
  }
  const [refusal] = refused;
  if (refusal !== undefined) throw refusal;
  if (!sameState(until, state)) await writeState(files, state);
  return {
    written,
    restored: stale,
    bypassing: plan.bypassing,
    isOutdated: outdated.length > 0,
  };
}

/** False: the file is not the one that the plan is for. */
async function applyDirectory(files: HostsFiles, plan: DirectoryPlan, mode: number): Promise<boolean> {
  const { root } = files;
  const { name, seen, make, save, write } = plan;
  const [path, aside] = [hostsPath(root, name), savedPath(root, name)];
  // How ours could be read says nothing of theirs.
  const sources = seen !== undefined && isAllOurs(seen) ? [aside] : [path, aside];
  if (make) await files.makeDirectory(join(root, name));
  if (save !== undefined) {
    await files.makeDirectory(dirname(aside));
    if (save.kind === 'bytes') {
      if ((await readBytes(path)) !== seen) return false;
      await files.write(path, save.gathered, mode, sources);
      await files.write(aside, save.bytes, 0o644, sources);
    } else if (!(await files.keep(path, aside, save.bytes))) return false;
  }
  if (write === undefined) return true;
  const expected = save?.kind === 'bytes' ? save.gathered : seen;
  if ((await readBytes(path)) !== expected) return false;
  await files.write(path, write, mode, sources);
  return true;
}

async function makeRoot(configPath: string): Promise<string> {
  try {
    await mkdir(configPath, { recursive: true, mode: 0o755 });
    return await realpath(configPath);
  } catch (error) {
    const message = `${configPath} can be neither read nor made: ${reasonOf(error)}`;
    throw new PeiliError('HOSTS_UNWRITABLE', message, { path: configPath }, error);
  }
}
