import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLayoutWriter } from '../../testbed/index.ts';
import type { LayoutWriter } from '../../testbed/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** The program as a checkout runs it. */
export const sources = join(root, 'cli/main.ts');
/** What is published: tried too when it has been built. */
export const bundle = join(root, 'dist/peili.mjs');
/** Of the nodes here: more than by default, since a whole cluster shares one machine. */
export const lookupTimeoutMs = 1000;
const startLimitMs = 20_000;
/** What ends by itself has ended by then, on a crowded machine too; what runs on against expectation is ended, and fails its law. */
const runLimitMs = 60_000;
const pollMs = 5;

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end, which is asked for by `stopSignal` as soon as it has made something in its TMPDIR. */
export async function runProgram(
  args: readonly string[],
  env: Record<string, string> = {},
  program = sources,
  stopSignal?: NodeJS.Signals,
): Promise<ProgramResult> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
    timeout: runLimitMs,
    killSignal: 'SIGKILL',
  });
  const result = ended(child);
  if (stopSignal !== undefined) {
    while (child.exitCode === null && (await readdir(env['TMPDIR'] ?? tmpdir())).length === 0) await pause(pollMs);
    child.kill(stopSignal);
  }
  return result;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** One node as a process of its own, as an operator runs it. */
export interface ProgramNode {
  readonly pid: number;
  readonly url: string;
  readonly metricsUrl: string;
  /** Its multiaddr, for the bootstrap of others. */
  readonly router: string;
  readonly layout: LayoutWriter;
  /** Where Node's inspector listens, if it was asked to. */
  readonly inspectorUrl: string | undefined;
  signal(name: NodeJS.Signals): void;
  /** When the process has ended. */
  readonly ended: Promise<ProgramResult>;
}

export interface ProgramNodeOptions {
  readonly directory: string;
  readonly name: string;
  readonly peers?: readonly ProgramNode[];
  readonly args?: readonly string[];
  readonly program?: string;
  /** For Node itself, before the program. */
  readonly nodeArgs?: readonly string[];
  /** A program that runs it, with its arguments. */
  readonly through?: readonly string[];
}

/** A folder for a test's nodes. */
export async function openFolder(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'peili-program-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts a node on free ports and waits until it says that it runs. It ends with the test. */
export async function startProgramNode(context: TestContext, options: ProgramNodeOptions): Promise<ProgramNode> {
  const { directory, name, peers = [], args = [], nodeArgs = [], through = [], program = sources } = options;
  const layout = await createLayoutWriter(join(directory, name));
  const bootstrap =
    peers.length === 0
      ? []
      : ['--bootstrap-kind', 'static', '--static-bootstrap-peers', ...peers.map(({ router }) => router)];
  // A lookup within 100 ms is measured elsewhere: here a whole cluster shares one machine.
  const patience = ['--mirror-resolve-timeout', `${lookupTimeoutMs}ms`];
  const addresses = ['--registry-addr', '127.0.0.1:0', '--router-addr', '127.0.0.1:0', '--metrics-addr', '127.0.0.1:0'];
  const [command, ...before] = [...through, process.execPath];
  const child = spawn(
    command,
    [
      ...before,
      ...nodeArgs,
      program,
      'registry',
      '--store',
      `oci-layout:${layout.directory}`,
      ...addresses,
      ...patience,
      ...bootstrap,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } },
  );
  const end = ended(child);
  context.after(async () => {
    child.kill('SIGKILL');
    await end;
  });
  const started = await runningLine(child);
  const pid = child.pid ?? 0;
  return {
    pid,
    url: `http://${started.registry[0] ?? ''}`,
    metricsUrl: `http://127.0.0.1:${started.metricsPort}/metrics`,
    router: started.router[0] ?? '',
    layout,
    inspectorUrl: started.inspectorUrl,
    signal: (signal) => void process.kill(pid, signal),
    ended: end,
  };
}

interface RunningLine {
  readonly registry: readonly string[];
  readonly router: readonly string[];
  readonly metricsPort: number;
  readonly inspectorUrl?: string | undefined;
}

function runningLine(child: ChildProcess): Promise<RunningLine> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => {
      reject(new Error(`the node did not start:\n${text}`));
    }, startLimitMs);
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const line = text.split('\n').find((each) => each.includes('"msg":"running"'));
      if (line === undefined) return;
      clearTimeout(timer);
      const inspectorUrl = /^Debugger listening on (\S+)$/m.exec(text)?.[1];
      resolve({ ...(JSON.parse(line) as RunningLine), inspectorUrl });
    });
    child.once('close', () => {
      clearTimeout(timer);
      reject(new Error(`the node ended:\n${text}`));
    });
  });
}

function ended(child: ChildProcess): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const text = { stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()));
    child.once('close', (code) => {
      resolve({ code, ...text });
    });
  });
}

export function skipWithoutBundle(): string | false {
  return existsSync(bundle) ? false : 'run npm run build first';
}
