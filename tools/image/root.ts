import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, readlink, lstat, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { bringPackages } from './debian-packages.ts';
import { withoutSymbols } from './elf.ts';
import { bringNode } from './node-program.ts';
import { platforms } from './platforms.ts';
import type { Architecture } from './platforms.ts';
import type { Entry } from './tar.ts';

const execute = promisify(execFile);

/** What Node is linked with (its NEEDED entries), and no more: names and addresses are looked up by libc itself. */
const libraries: readonly string[] = [
  'ld-linux-*.so.*',
  'libatomic.so.1*',
  'libc.so.6',
  'libdl.so.2',
  'libgcc_s.so.1',
  'libm.so.6',
  'libpthread.so.0',
  'libstdc++.so.6*',
];

const texts: Readonly<Record<string, string>> = {
  'etc/group': 'root:x:0:\n',
  'etc/passwd': 'root:x:0:0:root:/:/sbin/nologin\n',
  'etc/nsswitch.conf': 'hosts: files dns\n',
  // Scanners read here whose packages they are to look for.
  'etc/os-release': 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nPRETTY_NAME="peili on parts of Debian 13"\n',
};

/** Places for what a pod mounts, so that a root that cannot be written to has them. */
const mountPoints: readonly string[] = [
  'dev',
  'etc/containerd/certs.d',
  'etc/peili',
  'etc/secrets/basic-auth',
  'proc',
  'run/containerd',
  'sys',
  'var/lib/containerd',
  'var/lib/peili',
];

/** Node and what it needs: the same until one of them has a new version, so that who updates peili fetches only the other layer. */
export async function runtimeEntries(architecture: Architecture): Promise<readonly Entry[]> {
  const node = await bringNode(architecture);
  const { libraries: folder, loader } = platforms[architecture];
  const root = await mkdtemp(join(tmpdir(), 'peili-root-'));
  try {
    const entries: Entry[] = [
      { type: 'file', path: 'usr/bin/node', mode: 0o755, bytes: withoutSymbols(node.program) },
      { type: 'file', path: 'usr/share/doc/node/LICENSE', bytes: node.license },
      { type: 'link', path: 'lib', to: 'usr/lib' },
      { type: 'directory', path: 'tmp', mode: 0o1777 },
      ...Object.entries(texts).map(([path, text]): Entry => ({ type: 'file', path, bytes: Buffer.from(text) })),
      ...mountPoints.map((path): Entry => ({ type: 'directory', path })),
    ];
    if (dirname(loader) !== 'lib') entries.push({ type: 'link', path: dirname(loader), to: `usr/${dirname(loader)}` });
    for (const file of await bringPackages(architecture)) {
      await execute('dpkg-deb', ['-x', file, root]);
      const { stdout: control } = await execute('dpkg-deb', ['--field', file]);
      const { stdout: name } = await execute('dpkg-deb', ['--field', file, 'Package']);
      entries.push({ type: 'file', path: `var/lib/dpkg/status.d/${name.trim()}`, bytes: Buffer.from(control) });
    }
    const patterns = [
      ...libraries.map((name) => `usr/lib/${folder}/${name}`),
      `usr/${loader}`,
      'usr/share/doc/*/copyright',
    ];
    for (const path of globSync(patterns, { cwd: root })) entries.push(await entryOf(root, path));
    return withParents(entries);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** The program as `npm run build` leaves it. It is started by its name: its first line names Node where the image has it. */
export async function programEntries(dist = 'dist'): Promise<readonly Entry[]> {
  const files = ['peili.mjs', ...globSync('program/*.mjs', { cwd: dist })];
  const entries: Entry[] = [{ type: 'link', path: 'usr/bin/peili', to: '../../opt/peili/peili.mjs' }];
  for (const file of files) {
    const text = await readFile(join(dist, file), 'utf8');
    const bytes = Buffer.from(file === 'peili.mjs' ? text.replace(/^#!.*/, '#!/usr/bin/node') : text);
    entries.push({ type: 'file', path: join('opt/peili', file), mode: file === 'peili.mjs' ? 0o755 : 0o644, bytes });
  }
  entries.push({ type: 'file', path: 'opt/peili/LICENSE', bytes: await readFile('LICENSE') });
  return withParents(entries);
}

/** Modes are said here: an umask may have changed them while unpacking. */
async function entryOf(root: string, path: string): Promise<Entry> {
  const place = join(root, path);
  const found = await lstat(place);
  if (found.isSymbolicLink()) return { type: 'link', path, to: await readlink(place) };
  const mode = basename(path).startsWith('ld-linux') ? 0o755 : 0o644;
  return { type: 'file', path, mode, bytes: await readFile(place) };
}

function withParents(entries: readonly Entry[]): readonly Entry[] {
  const known = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
      if (!known.has(parent)) known.set(parent, { type: 'directory', path: parent });
    }
  }
  return [...known.values()];
}
