import { access, constants, glob, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerdApi, CriClient } from '../../transports/index.ts';
import type { Reading } from './check.ts';
import { configOfStatus, parseVersion, readContainerdConfig } from './containerd-config.ts';
import type { ConfigFiles, ContainerdConfig } from './containerd-config.ts';
import type { ContainerdFact, ContentFact, LayersFact } from './facts.ts';
import { reading } from './reading.ts';

const configFiles: ConfigFiles = {
  read: (path) => readFile(path, 'utf8'),
  glob: async (pattern) => (await Array.fromAsync(glob(pattern))).sort(),
};

/** Where distributions keep the file; containerd does not say with which one it runs. */
const configPaths = {
  k3s: [
    '/var/lib/rancher/k3s/agent/etc/containerd/config.toml',
    '/var/lib/rancher/rke2/agent/etc/containerd/config.toml',
  ],
  others: ['/etc/cri/containerd.toml', '/etc/containerd/config.toml'],
};

export function gatherContainerd(cri: CriClient, signal: AbortSignal): Promise<Reading<ContainerdFact>> {
  return reading(signal, async () => {
    const { runtimeName, runtimeVersion } = await cri.version(signal);
    return { runtime: runtimeName, version: runtimeVersion, number: parseVersion(runtimeVersion) };
  });
}

/** What containerd says of itself where it does, which is what it runs with; else the text of its file. */
export async function gatherConfig(
  cri: CriClient,
  containerd: Reading<ContainerdFact>,
  options: { readonly socket: string; readonly configPath: string | undefined },
  signal: AbortSignal,
): Promise<Reading<ContainerdConfig>> {
  const version = containerd.type === 'read' ? containerd.value.number : undefined;
  if (version?.major === 1) {
    const status = await reading(signal, () => cri.status(signal));
    const config = status.type === 'read' ? configOfStatus(status.value.info['config'] ?? '') : undefined;
    if (config !== undefined) return { type: 'read', value: config };
  }
  return reading(signal, async () => {
    const path = options.configPath ?? (await firstExisting(options.socket));
    return readContainerdConfig(configFiles, path, version);
  });
}

export function gatherContent(
  api: ContainerdApi,
  path: string | undefined,
  signal: AbortSignal,
): Promise<Reading<ContentFact>> {
  return reading(signal, async () => {
    const place = path ?? (await api.contentPath(signal));
    if (place === undefined) throw new Error('containerd does not say');
    const seen = await reading(signal, () => readOneBlob(place));
    if (seen.type === 'read') return { path: place, unreadable: undefined, isEmpty: false };
    // Before the first pull there is no directory.
    const isEmpty = seen.reason.startsWith('ENOENT') && (await api.contents(signal)).length === 0;
    return { path: place, unreadable: seen.reason, isEmpty };
  });
}

/** How containerd tells its garbage collection what a manifest needs (containerd core/images: ChildGCLabels); discarded layers have no such label. */
const configLabel = 'containerd.io/gc.ref.content.config';
const layerLabelPrefix = 'containerd.io/gc.ref.content.l.';

export function gatherLayers(api: ContainerdApi, signal: AbortSignal): Promise<Reading<LayersFact>> {
  return reading(signal, async () => {
    const manifests = (await api.contents(signal)).filter(({ labels }) => configLabel in labels);
    const kept = manifests.filter(({ labels }) => hasLayerLabel(labels)).length;
    return { kept, gone: manifests.length - kept };
  });
}

export function hasLayerLabel(labels: Readonly<Record<string, string>>): boolean {
  return Object.keys(labels).some((label) => label.startsWith(layerLabelPrefix));
}

/** Opens a blob, as the mirror does: rights to list a directory say nothing of its files. A store without any is as good. */
async function readOneBlob(place: string): Promise<void> {
  for (const algorithm of ['sha256', 'sha512']) {
    const directory = join(place, 'blobs', algorithm);
    const [name] = await readdir(directory).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    });
    if (name !== undefined) return access(join(directory, name), constants.R_OK);
  }
  // Nothing pulled yet: then the directory itself has to be there.
  await readdir(place);
}

async function firstExisting(socket: string): Promise<string> {
  const paths = socket.startsWith('/run/k3s/') ? configPaths.k3s : configPaths.others;
  for (const path of paths) {
    const exists = await access(path).then(
      () => true,
      (error: unknown) =>
        error instanceof Error && 'code' in error && error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
    );
    if (exists) return path;
  }
  throw new Error(`there is none of ${paths.join(', ')}`);
}
