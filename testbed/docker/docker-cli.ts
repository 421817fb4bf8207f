import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

export interface RunOptions {
  /** @default 60000 */
  readonly timeoutMs?: number;
  /** What it reads on its input. @default nothing */
  readonly input?: string;
}

const outputMaxBytes = 64 * 1024 * 1024;

/** Runs a command to its end: what it wrote. Rejects with what it said on stderr. */
export function command(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { timeoutMs = 60_000, input = '' } = options;
  return new Promise((resolve, reject) => {
    const settings = { timeout: timeoutMs, maxBuffer: outputMaxBytes, killSignal: 'SIGKILL' as const };
    const child = execFile(program, args, settings, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const line = [program, ...args].join(' ').slice(0, 200);
      const why = child.killed ? `did not end within ${timeoutMs} ms` : `${stderr.trim() || error.message}`;
      reject(new Error(`${line}: ${why}`, { cause: error }));
    });
    // It may end before it has read.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

export function docker(args: readonly string[], options?: RunOptions): Promise<string> {
  return command('docker', args, options);
}

/** Rejects, saying why, where there can be no nodes as containers. */
export async function needDocker(): Promise<void> {
  const obstacle = await dockerObstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
}

async function dockerObstacle(): Promise<string | undefined> {
  try {
    const host = await docker(['info', '--format', '{{.OSType}} {{.OperatingSystem}}'], { timeoutMs: 10_000 });
    // The upstream listens at the address of the network's gateway, which is this machine only without a machine in between.
    return /^linux (?!Docker Desktop)/.test(host)
      ? undefined
      : `Docker has to run on this machine, and says ${host.trim()}`;
  } catch (error) {
    return `no Docker daemon: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** What a testbed of containers is called: whose process has ended is a leftover. */
export function newTestbedName(): string {
  return `peili-${process.pid}-${randomBytes(2).toString('hex')}`;
}

/** The process that a testbed of this name belongs to; undefined: not one of ours. */
export function ownerOf(name: string): number | undefined {
  const pid = /^peili-(\d+)-[0-9a-f]{4}$/.exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** A folder that is found by the testbed's name when it is left behind. */
export async function makeFolder(name: string): Promise<string> {
  const folder = join(tmpdir(), name);
  await mkdir(folder);
  return folder;
}

export function removeFolder(name: string): Promise<void> {
  return rm(join(tmpdir(), name), { recursive: true, force: true });
}

/** Removes such folders of processes that have ended. */
export async function sweepFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = ownerOf(name);
    if (pid !== undefined && !isAlive(pid)) await removeFolder(name);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
