import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface HostsTomlOptions {
  /** `/etc/containerd/certs.d` of the node, as a path of this process. */
  readonly directory: string;
  /** `registry.example:5000` */
  readonly registry: string;
  /** `http://registry.example:5000` */
  readonly server: string;
}

/** A node's configuration without a mirror: the registry is asked by plain HTTP. */
export async function writePlainHosts({ directory, registry, server }: HostsTomlOptions): Promise<void> {
  await writeHosts(directory, registry, `server = '${server}'\n`);
}

async function writeHosts(directory: string, registry: string, text: string): Promise<void> {
  const folder = join(directory, registry);
  await mkdir(folder, { recursive: true });
  const fresh = join(folder, 'hosts.toml.fresh');
  await writeFile(fresh, text);
  await rename(fresh, join(folder, 'hosts.toml'));
}

/** Mirrors in front, by hand: for cases that need another order or another mirror than `peili configuration` writes. */
export async function writeMirrorHosts(
  options: HostsTomlOptions & { readonly mirrors: readonly string[]; readonly resolveTags: boolean },
): Promise<void> {
  const { directory, registry, server, mirrors, resolveTags } = options;
  const capabilities = resolveTags ? "['pull', 'resolve']" : "['pull']";
  const tables = mirrors.map(
    (mirror) => `[host.'${mirror}']\ncapabilities = ${capabilities}\ndial_timeout = '200ms'\n`,
  );
  await writeHosts(directory, registry, [`server = '${server}'\n`, ...tables].join('\n'));
}
