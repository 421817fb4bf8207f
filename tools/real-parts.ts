import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Real programs that laws run against, and the Debian package that each comes with. */
const installedParts: readonly (readonly [program: string, debianPackage: string])[] = [
  ['docker-registry', 'docker-registry'],
  ['nginx', 'nginx-light'],
  ['haproxy', 'haproxy'],
  ['curl', 'curl'],
  ['skopeo', 'skopeo'],
  ['chromium', 'chromium'],
  // What nodes in network namespaces are made of, and what listens to their wires.
  ['ip', 'iproute2'],
  ['tc', 'iproute2'],
  ['iptables', 'iptables'],
  ['mkfs.ext4', 'e2fsprogs'],
  ['tcpdump', 'tcpdump'],
];

interface UnpackedPart {
  /** Where it stands under the folder. */
  readonly program: string;
  readonly debianPackage: string;
  /** Debian testing, or the machine's own release where testing's needs a newer libc. */
  readonly from: 'testing' | 'release';
}

/** Programs that a Debian release lacks, or has too old: unpacked beside the system, which stays as it is. */
const unpackedParts: readonly UnpackedPart[] = [
  { program: 'usr/bin/containerd', debianPackage: 'containerd', from: 'testing' },
  { program: 'usr/bin/crane', debianPackage: 'crane', from: 'testing' },
  { program: 'usr/sbin/runc', debianPackage: 'runc', from: 'release' },
];

/** Another list of parts is another folder, so that an old one is never taken for it. */
const folder = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'peili',
  `real-parts-${createHash('sha256').update(JSON.stringify(unpackedParts)).digest('hex').slice(0, 8)}`,
);

/** Unpacked parts come first: the machine may have an older containerd. */
export function pathWithParts(): string {
  const unpacked = [join(folder, 'usr/bin'), join(folder, 'usr/sbin')];
  return [...unpacked, process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter);
}

/** By the Node of `npm ci`; root's cache is another one than that of whoever became root. */
const bringing = `${process.env['SUDO_USER'] === undefined ? '' : 'sudo '}npx node tools/real-parts.ts`;

/** What is not there, each with what brings it. */
export function missingParts(): {
  readonly program: string;
  readonly advice: string;
  readonly debianPackage?: string;
}[] {
  const folders = pathWithParts().split(delimiter);
  const isThere = (program: string): boolean => folders.some((each) => existsSync(join(each, program)));
  const installed = installedParts
    .filter(([program]) => !isThere(program))
    .map(([program, debianPackage]) => ({ program, debianPackage, advice: `apt-get install ${debianPackage}` }));
  const unpacked = arePartsThere()
    ? []
    : unpackedParts.map(({ program }) => ({ program: basename(program), advice: bringing }));
  return [...installed, ...unpacked];
}

/** The folder appears whole or not at all. */
function arePartsThere(): boolean {
  return existsSync(folder);
}

const source =
  'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian testing main\n';
const timeLimitMs = 5 * 60_000;

/** Downloads the parts with apt, which checks Debian's signatures, and unpacks them. Does nothing when they are there. */
async function bringParts(): Promise<string> {
  if (arePartsThere()) return folder;
  const parent = join(folder, '..');
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(join(parent, 'bringing-'));
  try {
    const apt = {
      testing: await testingOptions(join(work, 'testing')),
      release: await ownLists(join(work, 'release')),
    };
    for (const options of Object.values(apt)) {
      await execute('apt-get', [...options, 'update', '-qq'], { timeout: timeLimitMs });
    }
    const root = join(work, 'root');
    await mkdir(root);
    for (const { debianPackage, from } of unpackedParts) {
      const into = join(work, debianPackage);
      await mkdir(into);
      await execute('apt-get', [...apt[from], 'download', '-qq', debianPackage], { cwd: into, timeout: timeLimitMs });
      for (const file of await readdir(into)) await execute('dpkg', ['-x', join(into, file), root]);
    }
    await check(root);
    // The rename makes it complete; who was faster has the same.
    await rename(root, folder).catch((error: unknown) => {
      if (!arePartsThere()) throw error;
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** An apt with lists of its own: those of the machine may be old, or were removed, and only root may renew them. */
async function ownLists(directory: string, more: Readonly<Record<string, string>> = {}): Promise<string[]> {
  await mkdir(join(directory, 'state/lists/partial'), { recursive: true });
  await mkdir(join(directory, 'cache/archives/partial'), { recursive: true });
  const options = {
    'Dir::State': join(directory, 'state'),
    'Dir::Cache': join(directory, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'APT::Sandbox::User': 'root',
    ...more,
  };
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** Neither a list nor a pin of the machine counts, which may prefer its own release: here testing is meant. */
async function testingOptions(directory: string): Promise<string[]> {
  const list = join(directory, 'testing.list');
  await mkdir(directory);
  await writeFile(list, source);
  return ownLists(directory, {
    'Dir::Etc::SourceList': list,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
  });
}

async function check(root: string): Promise<void> {
  for (const { program } of unpackedParts) {
    // One that lacks a library says so here, and not in the middle of a law.
    const argument = program.endsWith('crane') ? 'version' : '--version';
    await execute(join(root, program), [argument], { timeout: timeLimitMs });
  }
}

if (import.meta.main) console.log(await bringParts());
