import { canaryRegistry, parseRegistryEntry, PeiliError } from '../../core/index.ts';
import { gatheredText, othersText, renderBlock } from './hosts-block.ts';
import type { MirrorHosts, RegistryKeys } from './hosts-block.ts';
import { certificateKeys } from './certificate-keys.ts';
import { mergeHosts } from './hosts-merge.ts';
import type { HostsState } from './hosts-state.ts';
import { hostsPath } from './hosts-tree.ts';
import type { HostsDirectory, HostsTree } from './hosts-tree.ts';
import { backupDirectory, defaultDirectory, directoryOf } from './registry-directory.ts';

/** What is to be so, as `peili configuration` is told. */
export interface HostsOptions {
  /** `docker.io`, `https://docker.io`, `http://localhost:5000`; empty, `_default` or `*`: all. */
  readonly mirroredRegistries: readonly string[];
  /** URLs of mirrors, in the order in which containerd asks them. */
  readonly mirrorTargets: readonly string[];
  /** Whether mirrors are asked for tags, or for digests only. */
  readonly resolveTags: boolean;
  /** Keep what is there, behind the mirrors. */
  readonly prependExisting: boolean;
}

/** What one directory needs, in the order of the fields; undefined: nothing of it. */
export interface DirectoryPlan {
  readonly name: string;
  /** Its hosts.toml as it was seen: a plan for another one is void. */
  readonly seen: string | undefined;
  /** The registry's directory has to be made. */
  readonly make: boolean;
  readonly save: Saving | undefined;
  readonly write: string | undefined;
  /** Why something is written. */
  readonly reason: 'missing' | 'changed';
}

/**
 * What others wrote, to be put aside: the file in place as it is, or bytes. These may be what was aside already with what was added in place after it;
 * `gathered` is written there first, so that whoever is killed between does not add it twice.
 */
export type Saving =
  | { readonly kind: 'in-place'; readonly bytes: string }
  | { readonly kind: 'bytes'; readonly bytes: string; readonly gathered: string };

export interface HostsPlan {
  readonly state: HostsState;
  readonly directories: readonly DirectoryPlan[];
  /** Directories that had a file of ours, and shall have none. */
  readonly stale: readonly string[];
  /** Directories that cannot have one, and why. */
  readonly refusals: readonly PeiliError[];
  /** Registries that containerd reads elsewhere, by directory. */
  readonly bypassing: readonly string[];
}

interface Wanted {
  readonly name: string;
  /** Undefined: containerd knows the registry itself. */
  readonly server: string | undefined;
  readonly resolveTags: boolean;
}

/** A pull of the canary that no mirror answers fails at once: nothing listens there, and no DNS is asked. */
const canaryServer = 'http://127.0.0.1:1';

/** Throws `OPTION_INVALID` for what is neither a registry nor one of the words for all. */
export function mirrorsEverything(registries: readonly string[]): boolean {
  return registries.length === 0 || registries.some((text) => parseRegistryEntry(text).type === 'wildcard');
}

/** `before` is what the last run left; `root` is for messages. */
export function planHosts(
  options: HostsOptions & { readonly authorization: string | undefined; readonly root: string },
  before: HostsState | undefined,
  tree: HostsTree,
): HostsPlan {
  const wanted = wantedDirectories(options, before, tree);
  const names = wanted.map(({ name }) => name);
  const stale = (before?.directories ?? []).filter((name) => !names.includes(name));
  const refusals: PeiliError[] = [];
  const directories = wanted.flatMap((want): DirectoryPlan[] => {
    try {
      return [planDirectory(want, tree.get(want.name) ?? absent(want.name), options)];
    } catch (error) {
      if (!(error instanceof PeiliError)) throw error;
      refusals.push(error);
      return [];
    }
  });
  const { mirroredRegistries, mirrorTargets, resolveTags, prependExisting } = options;
  const made = names.filter((name) => before?.made.includes(name) === true || !isThere(tree, name));
  return {
    state: {
      version: 1,
      mirroredRegistries: [...mirroredRegistries],
      mirrorTargets: [...mirrorTargets],
      resolveTags,
      prependExisting,
      directories: names,
      made,
    },
    directories,
    stale,
    refusals,
    bypassing: mirrorsEverything(mirroredRegistries) ? bypassing(tree, before, names) : [],
  };
}

/**
 * Where everything is mirrored these are, besides the default, the directories that were there when it was first said: containerd would read them
 * in its place. A directory that came later is its writer's word, and is joined only where existing hosts are kept.
 */
function wantedDirectories(options: HostsOptions, before: HostsState | undefined, tree: HostsTree): Wanted[] {
  const { mirroredRegistries, resolveTags, prependExisting } = options;
  const exists = (name: string): boolean => isThere(tree, name);
  const wanted = new Map<string, Wanted>();
  const want = (one: Wanted): void => {
    if (!wanted.has(one.name)) wanted.set(one.name, one);
  };
  want({ name: directoryOf(canaryRegistry, exists), server: canaryServer, resolveTags: true });
  for (const text of mirroredRegistries) {
    const entry = parseRegistryEntry(text);
    if (entry.type === 'wildcard') continue;
    if (entry.registry === backupDirectory) {
      const message = `--mirrored-registries ${JSON.stringify(text)}: what was there before is kept in a directory of this name`;
      throw new PeiliError('OPTION_INVALID', message, { registry: text });
    }
    const server = serverOf(entry.registry, entry.scheme, text.includes('://'));
    want({ name: directoryOf(entry.registry, exists), server, resolveTags });
  }
  if (!mirrorsEverything(mirroredRegistries)) return [...wanted.values()];
  want({ name: defaultDirectory, server: undefined, resolveTags });
  const isFirst = before === undefined || !mirrorsEverything(before.mirroredRegistries);
  for (const directory of tree.values()) {
    const { name } = directory;
    const known = before?.directories.includes(name) === true;
    if (hasOthers(directory, before) && (isFirst || prependExisting || known)) {
      want({ name, server: undefined, resolveTags });
    }
  }
  return [...wanted.values()];
}

/** Whether others have anything there. A link is left to whoever made it. */
function hasOthers(
  { name, kind, current, saved, otherNames }: HostsDirectory,
  before: HostsState | undefined,
): boolean {
  if (kind === 'absent') return saved !== undefined;
  if (kind !== 'directory') return false;
  const isMade = before?.made.includes(name) === true;
  return !isMade || otherNames.length > 0 || othersText(current, saved) !== undefined;
}

/** A directory that was made for mirrors alone goes with its file, and with it nothing is left that containerd could read. */
function bypassing(tree: HostsTree, before: HostsState | undefined, names: readonly string[]): string[] {
  return [...tree.values()]
    .filter(({ name }) => !names.includes(name))
    .filter(
      (directory) => directory.kind === 'link' || (directory.kind === 'directory' && hasOthers(directory, before)),
    )
    .map(({ name }) => name);
}

function planDirectory(
  want: Wanted,
  { name, kind, current, saved, dangling, otherNames }: HostsDirectory,
  options: HostsOptions & { readonly authorization: string | undefined; readonly root: string },
): DirectoryPlan {
  const { root, mirrorTargets: targets, authorization, prependExisting } = options;
  if (kind === 'link' || kind === 'other') {
    const what = kind === 'link' ? 'a link, behind which nothing is changed' : 'no directory';
    const message = `${root}/${name} is ${what}: make it a directory, or leave the registry out of --mirrored-registries`;
    throw new PeiliError('HOSTS_INVALID', message, { path: `${root}/${name}` });
  }
  if (prependExisting && dangling !== undefined) {
    // In a container it may well be there for containerd, whose hosts would be lost.
    const message = `${hostsPath(root, name)} is a link to ${dangling}, which cannot be seen from here: make it a file`;
    throw new PeiliError('HOSTS_INVALID', message, { path: hostsPath(root, name) });
  }
  const hosts: MirrorHosts = {
    targets,
    capabilities: want.resolveTags ? ['pull', 'resolve'] : ['pull'],
    authorization,
  };
  const others = othersText(current, saved);
  // With no text, containerd would take the certificates beside it.
  const isSilent = others === undefined || others === '';
  const keys: RegistryKeys = { server: want.server, ...(isSilent ? certificateKeys(otherNames) : {}) };
  const wanted =
    others === undefined || !prependExisting
      ? renderBlock('alone', keys, hosts)
      : mergeHosts(others, hosts, isSilent ? keys : explicitServer(want), hostsPath(root, name));
  return {
    name,
    seen: current,
    make: kind === 'absent',
    save: others === undefined || others === saved ? undefined : savingOf(others, current, hosts),
    write: wanted === current ? undefined : wanted,
    reason: current === undefined ? 'missing' : 'changed',
  };
}

function savingOf(others: string, current: string | undefined, hosts: MirrorHosts): Saving {
  if (others === current) return { kind: 'in-place', bytes: current };
  return { kind: 'bytes', bytes: others, gathered: gatheredText(others, hosts) };
}

/** A file without a server line means the registry itself by https: another scheme has to be said. */
function explicitServer({ server }: Wanted): RegistryKeys {
  return server?.startsWith('http://') === true ? { server } : {};
}

function serverOf(registry: string, scheme: 'http' | 'https', isSchemeSaid: boolean): string | undefined {
  if (registry === 'docker.io' && scheme === 'https') return 'https://registry-1.docker.io';
  // containerd tries both schemes on this machine itself, unless it is told one.
  if (!isSchemeSaid && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(registry)) return undefined;
  return `${scheme}://${registry}`;
}

function isThere(tree: HostsTree, name: string): boolean {
  return (tree.get(name)?.kind ?? 'absent') !== 'absent';
}

function absent(name: string): HostsDirectory {
  return { name, kind: 'absent', current: undefined, saved: undefined, dangling: undefined, otherNames: [] };
}
