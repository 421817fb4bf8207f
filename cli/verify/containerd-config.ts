import { dirname, isAbsolute, join, normalize } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { PeiliError } from '../../core/index.ts';

/** What of containerd's configuration decides whether a mirror can work. */
export interface ContainerdConfig {
  /** The files it was read from, the main one first; none for what containerd itself said. */
  readonly files: readonly string[];
  /** Where hosts.toml files are looked for, as it is written: one directory, or several with colons. Empty: nowhere. */
  readonly configPath: string;
  /** Whether layers leave the content store once they are unpacked. */
  readonly discardsLayers: boolean;
  /** Whether CRI pulls through the transfer service, which takes `configPath` for ONE directory. */
  readonly pullsByTransfer: boolean;
  /** Registries with mirrors in config.toml itself, which containerd does not allow beside a `configPath`. */
  readonly inlineMirrors: readonly string[];
}

export interface ContainerdVersion {
  readonly major: number;
  readonly minor: number;
}

/** The disk, as far as it is read here. */
export interface ConfigFiles {
  /** Rejects as `node:fs` does. */
  read(path: string): Promise<string>;
  /** Existing paths, sorted. */
  glob(pattern: string): Promise<readonly string[]>;
}

type Table = Readonly<Record<string, unknown>>;

const criPlugin = 'io.containerd.grpc.v1.cri';
const imagesPlugin = 'io.containerd.cri.v1.images';
/** What 2.2 and later look at when nothing is set (containerd internal/cri/config, plugins/cri/images). */
const defaultConfigPath = '/etc/containerd/certs.d:/etc/docker/certs.d';
/** Imports may form a circle, and a directory of them may be anything. */
const filesMax = 100;

/**
 * Reads config.toml with its imports as containerd does (cmd/containerd/server/config: LoadConfig, resolveImports, mergeConfig): the main file first, then what
 * each imports, breadth first, later files over earlier ones; in 1.x a plugin's table replaces the earlier one, in 2.x they are merged.
 *
 * Rejects as `node:fs` does for the main file; `OPTION_INVALID` for a file that is no TOML.
 */
export async function readContainerdConfig(
  files: ConfigFiles,
  path: string,
  version: ContainerdVersion | undefined,
): Promise<ContainerdConfig> {
  const pending = [path];
  const loaded: string[] = [];
  let merged: Table = {};
  for (let next = pending.shift(); next !== undefined && loaded.length < filesMax; next = pending.shift()) {
    if (loaded.includes(next)) continue;
    const table = withLongNames(parseToml(await files.read(next), next));
    merged = mergeFiles(merged, table, version?.major === 1);
    loaded.push(next);
    for (const imported of textsOf(table['imports'])) pending.push(...(await resolveImport(files, next, imported)));
  }
  return { files: loaded, ...settingsOf(merged, version) };
}

/** What CRI says of itself on 1.x, in its verbose status (containerd pkg/cri/server: `config`). Undefined where it says nothing of it, as on 2.x. */
export function configOfStatus(text: string): ContainerdConfig | undefined {
  const config = tableOf(parseJson(text));
  const registry = tableOf(config['registry']);
  const containerd = tableOf(config['containerd']);
  if (!('configPath' in registry) || !('discardUnpackedLayers' in containerd)) return undefined;
  return {
    files: [],
    configPath: textOf(registry['configPath']),
    discardsLayers: containerd['discardUnpackedLayers'] === true,
    pullsByTransfer: false,
    inlineMirrors: Object.keys(tableOf(registry['mirrors'])),
  };
}

/** `2.1.9+unknown`, `v1.7.28`, `1.6.20~ds1`. */
export function parseVersion(text: string): ContainerdVersion | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(text) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

export function isAtLeast(version: ContainerdVersion | undefined, major: number, minor: number): boolean {
  return version !== undefined && (version.major > major || (version.major === major && version.minor >= minor));
}

function settingsOf(merged: Table, version: ContainerdVersion | undefined): Omit<ContainerdConfig, 'files'> {
  const plugins = tableOf(merged['plugins']);
  const images = imagesOf(merged, plugins, version);
  const registry = tableOf(images['registry']);
  const inlineMirrors = Object.keys(tableOf(registry['mirrors']));
  const written = textOf(registry['config_path']);
  const hasDefault = written === '' && inlineMirrors.length === 0 && isAtLeast(version, 2, 2);
  return {
    configPath: hasDefault ? defaultConfigPath : written,
    discardsLayers: images['discard_unpacked_layers'] === true,
    pullsByTransfer: isAtLeast(version, 2, 1) && !fallsBackToLocalPull(images, registry),
    inlineMirrors,
  };
}

/** What 2.x takes over from the plugin that 1.x had, and what of its table `containerd`, though only where that has runtimes (containerd plugins/cri/images: migrateConfig). */
const movedKeys = ['registry', 'max_concurrent_downloads', 'image_pull_with_sync_fs'];
const movedContainerdKeys = ['disable_snapshot_annotations', 'discard_unpacked_layers'];

/** The table of the plugin that pulls. What 1.x called by another name is ignored by 2.x when the last file with a version is of version 3. */
function imagesOf(merged: Table, plugins: Table, version: ContainerdVersion | undefined): Table {
  const cri = tableOf(plugins[criPlugin]);
  const containerd = tableOf(cri['containerd']);
  if (version?.major === 1) return { ...cri, ...containerd };
  const images = tableOf(plugins[imagesPlugin]);
  if (merged['version'] === 3) return images;
  return {
    ...images,
    ...pick(cri, movedKeys),
    ...('runtimes' in containerd ? pick(containerd, movedContainerdKeys) : {}),
  };
}

/** Settings that the transfer service does not have make CRI pull by itself (containerd internal/cri/config: CheckLocalImagePullConfigs). */
function fallsBackToLocalPull(images: Table, registry: Table): boolean {
  const downloads = images['max_concurrent_downloads'];
  return (
    images['use_local_image_pull'] === true ||
    images['disable_snapshot_annotations'] === false ||
    images['discard_unpacked_layers'] === true ||
    images['image_pull_with_sync_fs'] === true ||
    (downloads !== undefined && downloads !== 3) ||
    ['mirrors', 'configs', 'auths'].some((name) => Object.keys(tableOf(registry[name])).length > 0)
  );
}

/** Files of version 1, or of none, have short names for plugins. */
function withLongNames(table: Table): Table {
  const { version = 1, plugins } = table;
  if (version !== 1 && version !== 0) return table;
  const { cri, ...others } = tableOf(plugins);
  // Moved to version 2 before it is merged, as containerd does: a number alone would say that it overrides the main file's.
  return { ...table, version: undefined, plugins: cri === undefined ? others : { ...others, [criPlugin]: cri } };
}

function mergeFiles(to: Table, from: Table, replacesPlugins: boolean): Table {
  const version = from['version'] ?? to['version'];
  const merged = mergeTables(to, from);
  if (!replacesPlugins) return { ...merged, version };
  return { ...merged, version, plugins: { ...tableOf(to['plugins']), ...tableOf(from['plugins']) } };
}

function mergeTables(to: Table, from: Table): Table {
  const merged: Record<string, unknown> = { ...to };
  for (const [key, value] of Object.entries(from)) {
    const known = merged[key];
    if (isTable(known) && isTable(value)) merged[key] = mergeTables(known, value);
    else if (value !== undefined) merged[key] = value;
  }
  return merged;
}

async function resolveImport(files: ConfigFiles, from: string, pattern: string): Promise<readonly string[]> {
  const path = isAbsolute(pattern) ? normalize(pattern) : join(dirname(from), pattern);
  return path.includes('*') ? files.glob(path) : [path];
}

function parseToml(text: string, path: string): Table {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = error.message] = error.message.split('\n');
    throw new PeiliError('OPTION_INVALID', `${path} is no TOML: line ${error.line}: ${what}`, { path }, error);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pick(table: Table, keys: readonly string[]): Table {
  return Object.fromEntries(Object.entries(table).filter(([key]) => keys.includes(key)));
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function tableOf(value: unknown): Table {
  return isTable(value) ? value : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
