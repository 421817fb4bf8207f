import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import process from 'node:process';
import { missingParts, pathWithParts } from './real-parts.ts';

/**
 * Namespaces of its own for a command and all that it starts: processes, interfaces and mounts end with it, however it ends, and with whoever opened it.
 * `--propagation private`: no mount leaves; `--kill-child`: the first process, and with it all others, dies with `unshare`, which `setpriv` binds to us.
 */
const opening: readonly string[] = [
  'setpriv',
  '--pdeathsig',
  'KILL',
  'unshare',
  '--net',
  '--mount',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
  '--propagation',
  'private',
];

/** Why there can be no capsule here; undefined: there can. */
function capsuleObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are Linux';
  if (process.getuid?.() !== 0) return 'network namespaces and mounts need root: sudo npm run e2e';
  return undefined;
}

/** What a node is made of. */
const nodePrograms: readonly string[] = ['containerd', 'ip', 'tc', 'iptables', 'mkfs.ext4', 'tcpdump'];

/** Why there can be no nodes in network namespaces here; undefined: there can. */
export function nodesObstacle(): string | undefined {
  const missing = missingParts().filter(({ program }) => nodePrograms.includes(program));
  if (missing.length === 0) return capsuleObstacle();
  return `missing: ${missing.map(({ program, advice }) => `${program} (${advice})`).join(', ')}`;
}

/** Starts a command in a capsule, with the real parts in front of PATH. */
export function spawnInCapsule(
  command: readonly string[],
  stdio: StdioOptions,
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const [program = '', ...args] = [...opening, ...command];
  return spawn(program, args, { stdio, env: { ...process.env, PATH: pathWithParts(), ...env } });
}

// By hand: node tools/capsule.ts node --test e2e/containerd/pulls.test.ts
if (import.meta.main) {
  const obstacle = capsuleObstacle();
  if (obstacle !== undefined) {
    console.error(obstacle);
    process.exit(1);
  }
  const child = spawnInCapsule(process.argv.slice(2), 'inherit');
  // The first process of a capsule hears no signal that it does not handle: what ends us ends it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill('SIGKILL'));
  child.once('error', (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
