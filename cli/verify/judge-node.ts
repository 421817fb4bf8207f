import { canaryRegistry } from '../../core/index.ts';
import { ok, skipped, unknown, wrong } from './check.ts';
import type { Judged, Reading } from './check.ts';
import { isAtLeast } from './containerd-config.ts';
import type { ContainerdFact, Expectations, Facts, HostsFile } from './facts.ts';

/** Is there a containerd at the socket, and one that a mirror can work with? */
export function judgeContainerd(containerd: Reading<ContainerdFact>, { socket }: Pick<Expectations, 'socket'>): Judged {
  if (containerd.type === 'failed') {
    return wrong(
      `nothing answers at ${socket} (${containerd.reason})`,
      'see whether containerd runs, name its socket with --containerd-sock (k3s: /run/k3s/containerd/containerd.sock), and run verify as root',
    );
  }
  const { runtime, version, number } = containerd.value;
  if (runtime !== 'containerd') {
    return wrong(
      `${runtime} ${version} answers at ${socket}`,
      'a mirror needs containerd: other runtimes do not read hosts.toml',
    );
  }
  if (number !== undefined && !isAtLeast(number, 1, 6)) {
    return wrong(
      `containerd ${version} answers at ${socket}`,
      'update it: 1.6 is the oldest that a mirror is tried with',
    );
  }
  return ok(`containerd ${version} at ${socket}`);
}

/** Can blobs be read as files? Over gRPC they can be too, at a price. */
export function judgeContent({ containerd, content }: Pick<Facts, 'containerd' | 'content'>): Judged {
  if (content.type === 'failed') {
    if (containerd.type === 'failed') return skipped('containerd does not answer');
    return unknown(
      `where containerd has its blobs could not be found out (${content.reason})`,
      'name the directory with --containerd-content-path',
    );
  }
  const { isEmpty, path, unreadable } = content.value;
  if (isEmpty) return ok(`containerd has no blobs yet; they will be in ${path}`);
  if (unreadable === undefined) return ok(`blobs can be read from ${path}`);
  return wrong(
    `blobs cannot be read from ${path} (${unreadable}): the mirror has to ask containerd for every byte`,
    'run the mirror as user 0 with this directory mounted at the same path; --containerd-content-path names another one',
  );
}

/** Do hosts.toml files name this mirror, before any other? */
export function judgeHosts(
  { canary, hosts }: Pick<Facts, 'canary' | 'hosts'>,
  { registryConfigPath, registryUrl }: Pick<Expectations, 'registryConfigPath' | 'registryUrl'>,
): Judged {
  const configure = 'run peili configuration with the same --containerd-registry-config-path';
  if (hosts.type === 'failed' && hosts.reason.startsWith('ENOENT') && canary?.outcome !== 'arrived') {
    return wrong(`there is no ${registryConfigPath}: containerd is told of no mirror`, configure);
  }
  if (hosts.type === 'failed') {
    return unknown(
      `${registryConfigPath} could not be read (${hosts.reason})`,
      'run verify where this directory can be read, or name another one with --containerd-registry-config-path',
    );
  }
  const targets = targetsOf(hosts.value, registryUrl);
  const files = hosts.value.map((file) => ({ ...file, ...placeOf(file, targets) }));
  const broken = files.filter(({ place }) => place === 'broken');
  if (broken.length > 0) {
    return wrong(
      `containerd cannot read ${namesOf(broken)}`,
      `correct or remove what is there, then ${configure}`,
      broken.map(({ registry, why }) => `${registry}/hosts.toml: ${why}`),
    );
  }
  const ours = files.filter(({ place }) => place === 'first' || place === 'later');
  if (!ours.some(({ registry }) => registry !== canaryRegistry)) {
    return wrong(`no hosts.toml in ${registryConfigPath} names this mirror`, configure);
  }
  const later = ours.filter(({ place }) => place === 'later');
  if (later.length > 0) {
    return wrong(
      `this mirror is not the first host in ${namesOf(later)}`,
      `${configure}: with --prepend-existing what is there comes after it`,
      later.map(({ registry, why }) => `${registry}/hosts.toml: ${why}`),
    );
  }
  const others = files.filter(({ place, registry }) => place === 'absent' && registry !== canaryRegistry);
  const lines = others.map(
    ({ registry }) => `${registry}/hosts.toml does not name this mirror: pulls from there go past it`,
  );
  if (!ours.some(({ registry }) => registry === canaryRegistry || registry === '_default')) {
    return wrong(`${canaryRegistry} has no hosts.toml: a canary cannot arrive`, configure, lines);
  }
  const mirrored = ours.filter(({ registry }) => registry !== canaryRegistry);
  const places = mirrored.map(({ registry }) => registry).join(', ');
  const unseen = mirrored.map(({ url }) => url).find((url) => url !== withoutSlash(registryUrl));
  if (unseen !== undefined && canary?.outcome !== 'arrived') {
    return unknown(
      `hosts.toml names ${unseen} first, for ${places}; whether that is the mirror at ${registryUrl}, only a canary that arrives can tell`,
      'see whether this mirror answers at that URL where containerd runs; if not, run peili configuration with other --mirror-targets',
    );
  }
  return ok(`hosts.toml names this mirror first, for ${places}`, lines);
}

/** The URLs of mirrors: those that the canary's own file has, which is written with the others, and the one that verify was told. */
function targetsOf(files: readonly HostsFile[], registryUrl: string): ReadonlySet<string> {
  const canary = files.find(({ registry }) => registry === canaryRegistry);
  const written = canary?.hosts.type === 'read' ? canary.hosts.value : [];
  return new Set([registryUrl, ...written].map(withoutSlash));
}

type Place = 'first' | 'later' | 'absent' | 'broken';

function placeOf(
  { hosts }: HostsFile,
  targets: ReadonlySet<string>,
): { readonly place: Place; readonly url?: string; readonly why: string } {
  if (hosts.type === 'failed') return { place: 'broken', why: hosts.reason };
  const urls = hosts.value.map(withoutSlash);
  const at = urls.findIndex((url) => targets.has(url));
  const url = urls[at];
  if (url === undefined) return { place: 'absent', why: '' };
  return at === 0
    ? { place: 'first', url, why: '' }
    : { place: 'later', url, why: `${urls.slice(0, at).join(', ')} before ${url}` };
}

function namesOf(files: readonly HostsFile[]): string {
  return files.map(({ registry }) => `${registry}/hosts.toml`).join(', ');
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
