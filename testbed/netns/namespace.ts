import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, readlink } from 'node:fs/promises';
import process from 'node:process';
import { run } from './run.ts';

export interface Mount {
  readonly source: string;
  readonly target: string;
}

/** A network namespace and a private mount namespace, held open by a process that sleeps. */
export interface Namespace {
  /** Of the process that holds it. */
  readonly pid: number;
  /** Starts a command inside; its pid is the command's own. */
  spawn(command: readonly string[], options: SpawnOptions): ChildProcess;
  /** Runs a command inside to its end: its output. */
  run(command: readonly string[], env?: Readonly<Record<string, string | undefined>>): Promise<string>;
  /**
   * Ends the holder: with the last process inside, the namespaces and what is mounted in them are gone. What still runs inside is killed, and is a fault:
   * then it rejects.
   */
  close(): Promise<void>;
}

/** Binds its argument pairs, and stays. */
const holding = `set -e
while [ $# -gt 0 ]; do mount --bind "$1" "$2"; shift 2; done
ip link set lo up
echo ready
exec sleep infinity`;

export async function openNamespace(mounts: readonly Mount[]): Promise<Namespace> {
  const pairs = mounts.flatMap(({ source, target }) => [source, target]);
  const opening = ['--net', '--mount', '--propagation', 'private', 'sh', '-c', holding, 'sh', ...pairs];
  // Nothing of ours is inherited: who waits for the end of our output would wait for the holder.
  const holder = spawn('unshare', opening, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  holder.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const exited = once(holder, 'exit');
  await Promise.race([
    once(holder.stdout, 'data'),
    exited.then(() => {
      throw new Error(`a namespace could not be opened: ${said.join('')}`);
    }),
  ]);
  const pid = pidOf(holder);
  const network = await readlink(`/proc/${pid}/ns/net`);
  const entering = ['nsenter', '--target', String(pid), '--net', '--mount', '--'];
  return {
    pid,
    spawn: (command, options) => {
      const [program = '', ...args] = [...entering, ...command];
      return spawn(program, args, options);
    },
    run: (command, env) => run([...entering, ...command], env),
    close: async () => {
      const left = await processesWith(network, pid);
      for (const { pid: other } of left) process.kill(other, 'SIGKILL');
      holder.kill('SIGKILL');
      await exited;
      if (left.length > 0) throw new Error(`left running in a namespace: ${left.map(({ name }) => name).join(', ')}`);
    },
  };
}

/** The same namespace, for what may be left running by whoever started it there: `killAll` ends it. */
export function trackChildren(namespace: Namespace): { namespace: Namespace; killAll(): Promise<void> } {
  const running = new Map<ChildProcess, Promise<unknown>>();
  return {
    namespace: {
      ...namespace,
      spawn: (command, options) => {
        const child = namespace.spawn(command, options);
        running.set(
          child,
          new Promise((resolve) => {
            child.once('exit', resolve);
            child.once('error', resolve);
          }).then(() => running.delete(child)),
        );
        return child;
      },
    },
    killAll: async () => {
      for (const child of running.keys()) child.kill('SIGKILL');
      await Promise.all(running.values());
    },
  };
}

/** The pid of a process that was just started. Throws if it could not be. */
export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} could not be started`);
  return child.pid;
}

/** Who else is in the network namespace, its holder aside. */
async function processesWith(network: string, holder: number): Promise<{ pid: number; name: string }[]> {
  const found: { pid: number; name: string }[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === holder) continue;
    // It may end while we look; what has ended and was not yet waited for is in no namespace.
    const theirs = await readlink(`/proc/${entry}/ns/net`).catch(() => undefined);
    if (theirs !== network) continue;
    const name = await readFile(`/proc/${entry}/comm`, 'utf8').catch(() => undefined);
    if (name !== undefined) found.push({ pid: Number(entry), name: `${name.trim()} (${entry})` });
  }
  return found;
}
