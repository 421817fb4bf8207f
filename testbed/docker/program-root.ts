import { copyFile, mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ownProgram } from '../netns/mirror-process.ts';
import { command } from './docker-cli.ts';

/** A root file system that has this Node's libraries and nothing else, whatever the node's own system is. */
export interface ProgramRoot {
  readonly directory: string;
  /** Folders of this machine that the node sees at the same paths: the program and its Node. */
  readonly shared: readonly string[];
  readonly program: readonly string[];
}

/** What stands in the way of systemd, which can make no mount point in a read-only folder. */
const mountPoints: readonly string[] = [
  'dev',
  'etc/containerd',
  'proc',
  'run/containerd',
  'sys',
  'tmp',
  'var/cache',
  'var/lib/containerd',
];
const mountedFiles: readonly string[] = ['etc/hosts', 'etc/resolv.conf'];

/** In a folder that is there, and empty. */
export async function createProgramRoot(directory: string): Promise<ProgramRoot> {
  const shared = await sharedFolders();
  for (const folder of [...mountPoints, ...shared]) await mkdir(join(directory, folder), { recursive: true });
  for (const file of mountedFiles) await writeFile(join(directory, file), '');
  for (const library of await librariesOf(process.execPath)) {
    await mkdir(join(directory, dirname(library)), { recursive: true });
    await copyFile(library, join(directory, library));
  }
  return { directory, shared, program: ownProgram };
}

/** The checkout (or the package), the folder that its packages are in, and that of Node: links lead from one to another. */
async function sharedFolders(): Promise<readonly string[]> {
  const top = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../..' : '../../..', import.meta.url));
  const packages = await realpath(join(top, 'node_modules')).catch(() => top);
  const folders = [join(top, '.'), packages, dirname(process.execPath)].map((folder) => folder.replace(/\/$/, ''));
  const others = folders.filter((folder) => !folders.some((other) => folder.startsWith(`${other}/`)));
  return [...new Set(others)];
}

/** The loader and every library that it finds for the program. */
async function librariesOf(program: string): Promise<readonly string[]> {
  const lines = (await command('ldd', [program])).split('\n');
  return lines.flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
