import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import type { Reading } from './check.ts';
import type { HostsFile } from './facts.ts';
import { reading } from './reading.ts';

/** Every hosts.toml in the directory that containerd is told. */
export function gatherHosts(directory: string, signal: AbortSignal): Promise<Reading<readonly HostsFile[]>> {
  return reading(signal, async () => {
    const entries = await readdir(directory, { withFileTypes: true });
    const names = entries.filter((entry) => !entry.isFile()).map(({ name }) => name);
    const files: HostsFile[] = [];
    // What begins so is nobody's registry: backups and unfinished files.
    for (const registry of names.filter((name) => name === '_default' || !/^[_.]/.test(name)).sort()) {
      const path = join(directory, registry, 'hosts.toml');
      const hosts = await reading(signal, async () => hostsOf(await readFile(path, 'utf8')));
      // Directories with certificates alone are no matter of mirrors.
      if (hosts.type === 'failed' && hosts.reason.startsWith('ENOENT')) continue;
      files.push({ registry, hosts });
    }
    return files;
  });
}

/** The hosts in their order, the registry itself not counted. Throws for what containerd cannot read. */
function hostsOf(text: string): readonly string[] {
  try {
    const { host = {} } = parse(text);
    if (typeof host !== 'object' || Array.isArray(host)) throw new Error('host is no table');
    return Object.keys(host);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = error.message] = error.message.split('\n');
    throw new Error(`line ${error.line}: ${what}`, { cause: undefined });
  }
}
