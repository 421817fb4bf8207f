import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';

/** On a tmpfs that nobody outside the capsule sees, and that goes with it. */
export const capsuleDirectory = '/run/peili-testbed';
/** Folders of the machine that get places to mount on, over which a node puts its own: the machine's stay as they are. */
const overlaid: readonly string[] = ['/etc', '/var/lib'];

/** Why this process is in no capsule; undefined: it is. Here mounts over /run and /etc hurt nobody. */
export async function outsideCapsule(): Promise<string | undefined> {
  const advice = 'run it with npm run e2e, or node tools/capsule.ts node --test <file>';
  if (process.platform !== 'linux') return 'network namespaces are Linux';
  if (process.getuid?.() !== 0) return `nodes in network namespaces need root: ${advice}`;
  // All interfaces that are up: a capsule has lo alone, and what is made here.
  const foreign = Object.keys(networkInterfaces()).filter((name) => name !== 'lo' && !name.startsWith('peili'));
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const isShared = mounts.split('\n').some((line) => / \/ \/ .* shared:/.test(line));
  return foreign.length > 0 || isShared ? `this is the machine's own network or mounts: ${advice}` : undefined;
}

/** Makes the capsule ready for nodes, once. Rejects outside of one. */
export async function furnishCapsule(): Promise<void> {
  if (existsSync(capsuleDirectory)) return;
  const problem = await outsideCapsule();
  if (problem !== undefined) throw new Error(problem);
  await run(['mount', '-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', '/run']);
  await mkdir(capsuleDirectory);
  for (const target of overlaid) {
    const upper = join(capsuleDirectory, 'overlay', target);
    const work = `${upper}.work`;
    await mkdir(upper, { recursive: true });
    await mkdir(work);
    await run([
      'mount',
      '-t',
      'overlay',
      '-o',
      `lowerdir=${target},upperdir=${upper},workdir=${work}`,
      'overlay',
      target,
    ]);
  }
  for (const file of ['/etc/hosts', '/etc/resolv.conf']) {
    // It may be a link into the /run that is hidden now.
    await rm(file, { force: true });
    await writeFile(file, '');
  }
  for (const directory of ['/run/containerd', '/etc/containerd', '/var/lib/containerd']) {
    await mkdir(directory, { recursive: true });
  }
  await run(['ip', 'link', 'set', 'lo', 'up']);
}

/** A directory for one cluster, by the first free number. */
export async function claimClusterDirectory(): Promise<{ readonly index: number; readonly directory: string }> {
  for (let index = 0; index < 200; index += 1) {
    const directory = join(capsuleDirectory, `cluster-${index}`);
    if (existsSync(directory)) continue;
    await mkdir(directory);
    return { index, directory };
  }
  throw new Error('200 clusters were opened in one capsule and not closed');
}
