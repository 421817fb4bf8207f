import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { architectures } from './platforms.ts';
import type { Architecture } from './platforms.ts';

const execute = promisify(execFile);

/** What the image has of Debian, to the byte: the tree says which, so that the same commit is the same image. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: Architecture;
  readonly sha256: string;
}

const names: readonly string[] = ['gcc-14-base', 'libatomic1', 'libc6', 'libgcc-s1', 'libstdc++6'];
const release = 'trixie';
const lockPath = 'deploy/image/packages.json';
const timeLimitMs = 5 * 60_000;

/** Where downloads are kept, by what they are: nothing in it can be stale. */
export const cacheFolder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'peili', 'image');

export async function readLock(): Promise<readonly LockedPackage[]> {
  return JSON.parse(await readFile(lockPath, 'utf8')) as LockedPackage[];
}

/** The packages as files, in the order of the lock. */
export async function bringPackages(architecture: Architecture): Promise<readonly string[]> {
  const wanted = (await readLock()).filter((each) => each.architecture === architecture);
  const missing = wanted.filter((each) => !existsSync(placeOf(each)));
  if (missing.length > 0) {
    const found = await download(architecture);
    for (const each of missing) {
      if (found.some(({ sha256 }) => sha256 === each.sha256)) continue;
      const now = found.find(({ name }) => name === each.name)?.version ?? 'gone';
      throw new Error(
        `${each.name} ${each.version} is what ${lockPath} says, and Debian has ${now}: node tools/image.ts --renew`,
      );
    }
  }
  return wanted.map(placeOf);
}

/** Writes what Debian has now into the lock. */
export async function renewLock(): Promise<void> {
  const found = await Promise.all(architectures.map(download));
  const text = JSON.stringify(found.flat(), undefined, 2);
  await writeFile(lockPath, `${text}\n`);
}

function placeOf({ name, version, architecture, sha256 }: LockedPackage): string {
  return join(cacheFolder, `${name}_${version.replaceAll(':', '%3a')}_${architecture}_${sha256.slice(0, 16)}.deb`);
}

/** Downloads with apt, which checks Debian's signatures, and with lists of its own: the machine's may be of another release. */
async function download(architecture: Architecture): Promise<readonly LockedPackage[]> {
  const work = await mkdtemp(join(tmpdir(), 'peili-image-'));
  try {
    const options = await aptOptions(work, architecture);
    await execute('apt-get', [...options, 'update', '-qq'], { timeout: timeLimitMs });
    const into = join(work, 'packages');
    await mkdir(into);
    await execute('apt-get', [...options, 'download', '-qq', ...names], { cwd: into, timeout: timeLimitMs });
    const found: LockedPackage[] = [];
    await mkdir(cacheFolder, { recursive: true });
    for (const file of (await readdir(into)).toSorted()) {
      const path = join(into, file);
      const sha256 = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
      const { stdout } = await execute('dpkg-deb', ['--show', '--showformat', '${Package} ${Version}', path]);
      const [name = '', version = ''] = stdout.split(' ');
      const each: LockedPackage = { name, version, architecture, sha256 };
      found.push(each);
      await rename(path, placeOf(each)).catch(async () => writeFile(placeOf(each), await readFile(path)));
    }
    return found;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function aptOptions(work: string, architecture: Architecture): Promise<string[]> {
  const list = join(work, 'sources.list');
  const signed = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';
  const lines = [
    `deb ${signed} http://deb.debian.org/debian ${release} main`,
    `deb ${signed} http://deb.debian.org/debian-security ${release}-security main`,
  ];
  await writeFile(list, `${lines.join('\n')}\n`);
  await mkdir(join(work, 'state/lists/partial'), { recursive: true });
  await mkdir(join(work, 'cache/archives/partial'), { recursive: true });
  const options = {
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Dir::State': join(work, 'state'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(work, 'cache'),
    'Dir::Etc::SourceList': list,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
  };
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}
