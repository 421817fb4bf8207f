import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createContainerdApi, createSystemClock } from '../../transports/index.ts';
import { defaultLimits } from '../../core/index.ts';

const execute = promisify(execFile);

/** A containerd with a root, a state and a socket of its own. No registry, no pods: a store alone. */
export interface OwnContainerd {
  readonly socket: string;
  readonly contentPath: string;
  readonly version: string;
  ctr(...args: readonly string[]): Promise<string>;
  /** SIGKILL: what was said to be stored is. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes what it had. */
  remove(): Promise<void>;
}

/** Another containerd than that on PATH, with its `ctr` beside it: `PEILI_E2E_CONTAINERD=/opt/containerd-1.7/containerd`. */
const program = process.env['PEILI_E2E_CONTAINERD'] ?? 'containerd';

export const namespace = 'k8s.io';

export async function startContainerd(): Promise<OwnContainerd> {
  const directory = await mkdtemp(join(tmpdir(), 'peili-own-containerd-'));
  const socket = join(directory, 'c.sock');
  const root = join(directory, 'root');
  await mkdir(root);
  await writeFile(join(directory, 'config.toml'), configOf(directory));
  const state: { child: ChildProcess | undefined; version: string } = { child: undefined, version: '' };
  const start = async (): Promise<void> => {
    state.child = spawn(program, ['--config', join(directory, 'config.toml')], { stdio: 'ignore' });
    state.version = await versionOf(socket, state.child);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const { child } = state;
    state.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  await start();
  return {
    socket,
    contentPath: join(root, 'io.containerd.content.v1.content'),
    get version() {
      return state.version;
    },
    ctr: async (...args) => {
      const ctr = program.includes('/') ? join(dirname(program), 'ctr') : 'ctr';
      return (await execute(ctr, ['--address', socket, '--namespace', namespace, ...args])).stdout;
    },
    start,
    kill: () => end('SIGKILL'),
    remove: async () => {
      await end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The second format, which 1.6 and 2.x both read. CRI stays: its records of images are part of what a store meets. */
function configOf(directory: string): string {
  return [
    'version = 2',
    `root = '${directory}/root'`,
    `state = '${directory}/state'`,
    `disabled_plugins = ['io.containerd.internal.v1.opt', 'io.containerd.internal.v1.tracing', 'io.containerd.nri.v1.nri']`,
    '[grpc]',
    `address = '${directory}/c.sock'`,
    '',
  ].join('\n');
}

/** Waits until it answers; two busy cores take seconds. */
async function versionOf(socket: string, child: ChildProcess): Promise<string> {
  const api = createContainerdApi({ clock: createSystemClock() }, { socket, namespace, limits: defaultLimits });
  try {
    for (let attempts = 0; attempts < 600; attempts += 1) {
      if (child.exitCode !== null) throw new Error(`${program} ended at once, with code ${child.exitCode}`);
      const version = await api.version(AbortSignal.timeout(5_000)).catch(() => undefined);
      if (version !== undefined) return version;
      await pause(50);
    }
    throw new Error(`${program} did not answer within half a minute`);
  } finally {
    api.close();
  }
}
