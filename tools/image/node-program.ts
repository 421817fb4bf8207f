import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { cacheFolder } from './debian-packages.ts';
import { platforms } from './platforms.ts';
import type { Architecture } from './platforms.ts';

const execute = promisify(execFile);

export interface NodeProgram {
  readonly version: string;
  readonly program: Buffer;
  readonly license: Buffer;
}

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity: string } | undefined>>;
}

/** Node as npm provides it, of the version that the lock file names: installed for this machine's architecture, fetched with npm for another one. */
export async function bringNode(architecture: Architecture): Promise<NodeProgram> {
  const { nodePackage } = platforms[architecture];
  const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as LockFile;
  const locked = lock.packages[`node_modules/${nodePackage}`];
  if (locked === undefined) throw new Error(`package-lock.json has no ${nodePackage}`);
  const { version, integrity } = locked;
  const installed = join('node_modules', nodePackage);
  const folder = existsSync(installed) ? installed : await fetchNode(nodePackage, version, integrity);
  const [program, license] = await Promise.all([readFile(join(folder, 'bin/node')), readFile(join(folder, 'LICENSE'))]);
  return { version, program, license };
}

async function fetchNode(name: string, version: string, integrity: string): Promise<string> {
  const folder = join(cacheFolder, `${name}-${version}`);
  if (existsSync(folder)) return folder;
  const work = `${folder}.${process.pid}`;
  await mkdir(work, { recursive: true });
  await execute('npm', ['pack', '--silent', '--pack-destination', work, `${name}@${version}`]);
  const tarball = join(work, `${name}-${version}.tgz`);
  const sha512 = createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64');
  if (`sha512-${sha512}` !== integrity) throw new Error(`${name}@${version} is not what package-lock.json says`);
  await execute('tar', ['-xzf', tarball, '-C', work, '--strip-components=1']);
  await rename(work, folder);
  return folder;
}
