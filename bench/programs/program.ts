import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a program is started. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Its network namespace; the machine's own by default. */
  readonly namespace?: string | undefined;
}

/** A program of its own process. */
export interface Program {
  readonly pid: number;
  readonly startedMs: number;
  /** The end of what it said, for errors. */
  output(): string;
  hasEnded(): boolean;
  /** SIGTERM, and SIGKILL if it is still there after some seconds. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const outputMax = 4000;
/** Above the time that a node takes to withdraw what it said and to write its CPU profile. */
const stopPatienceMs = 20_000;
const running = new Set<ChildProcess>();

// Whatever ends the bench, its programs end with it.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    process.exit(1);
  });
}

export function startProgram({ args, command, env, namespace }: Command): Program {
  const inside = namespace === undefined ? [] : ['netns', 'exec', namespace, command];
  const startedMs = performance.now();
  const child = spawn(namespace === undefined ? command : 'ip', [...inside, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  running.add(child);
  const said = { text: '' };
  const listen = (chunk: Buffer): void => {
    said.text = (said.text + chunk.toString('utf8')).slice(-outputMax);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  child.on('error', (error) => {
    said.text += error.message;
    running.delete(child);
  });
  child.on('exit', () => running.delete(child));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded()) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const patience = new AbortController();
    const impatient = sleep(stopPatienceMs, undefined, { signal: patience.signal }).then(
      () => child.kill('SIGKILL'),
      () => undefined,
    );
    await ended;
    patience.abort();
    await impatient;
  };
  return {
    pid: child.pid ?? 0,
    startedMs,
    output: () => said.text,
    hasEnded,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** Asks again and again until it is true. Rejects when the time is over, or the program ended meanwhile. */
export async function until(
  what: string,
  isTrue: () => Promise<boolean>,
  { everyMs = 5, program, timeoutMs = 20_000 }: { everyMs?: number; timeoutMs?: number; program?: Program } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (program?.hasEnded() === true) throw new Error(`${what}: the program ended\n${program.output()}`);
    if (performance.now() > deadline)
      throw new Error(`${what}: not within ${timeoutMs} ms\n${program?.output() ?? ''}`);
    await sleep(everyMs);
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
