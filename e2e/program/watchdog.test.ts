import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { availableParallelism, loadavg } from 'node:os';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { defaultLimits } from '../../core/index.ts';
import { createImage, writeOciLayout } from '../../testbed/index.ts';
import { openDevtools } from '../page/devtools.ts';
import type { Devtools } from '../page/devtools.ts';
import { openFolder, startProgramNode } from './program-fixture.ts';
import type { ProgramNode } from './program-fixture.ts';

const mebibyte = 1024 * 1024;
/** What the contract says of the mirror's own death: noticed after 3 s, gone within 5 s. */
const goneWithinMs = 5000;
const noticedAfterMs = defaultLimits.watchdogStandstillUs / 1000 - 2 * (defaultLimits.watchdogTickUs / 1000);
/** SIGTRAP, as a program that runs others tells it. */
const trapSignal = 5;
const timeout = 40_000;
/** After so long what was sent through the inspector has begun. */
const frozenAfterMs = 100;

interface Scene {
  readonly node: ProgramNode;
  readonly devtools: Devtools;
  readonly blobPath: string;
  readonly sizeBytes: number;
  /** Runs in the node's main thread. */
  run(script: string): void;
}

async function openScene(
  context: TestContext,
  args: readonly string[] = [],
  through: readonly string[] = [],
): Promise<Scene> {
  const directory = await openFolder(context);
  const image = await createImage({ name: 'registry.example/app:1.0', layers: [{ sizeBytes: 64 * mebibyte }] });
  await writeOciLayout([image], `${directory}/node`);
  const node = await startProgramNode(context, {
    directory,
    name: 'node',
    args,
    through,
    nodeArgs: ['--inspect=127.0.0.1:0'],
  });
  const devtools = await openDevtools(node.inspectorUrl ?? '');
  context.after(() => {
    devtools.close();
  });
  const layer = [...image.blobs.values()].find(({ sizeBytes }) => sizeBytes > mebibyte);
  assert.ok(layer !== undefined);
  return {
    node,
    devtools,
    blobPath: `/v2/${image.repository}/blobs/${layer.digest}?ns=${image.registry}`,
    sizeBytes: layer.sizeBytes,
    // From a timer, so that it stands where a program stands.
    run: (script) => void devtools.send('Runtime.evaluate', { expression: `setTimeout(() => { ${script} }, 0)` }),
  };
}

interface RawClient {
  readonly socket: Socket;
  received(): number;
  /** When the other side ended the connection, and how. */
  readonly ended: Promise<{ readonly atMs: number; readonly how: string }>;
}

function get(url: string, path: string): RawClient {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const state = { received: 0 };
  socket.on('data', (chunk) => (state.received += chunk.length));
  const ended = new Promise<{ atMs: number; how: string }>((resolve) => {
    const settle = (how: string) => (): void => {
      resolve({ atMs: performance.now(), how });
    };
    socket.once('end', settle('FIN')).once('error', settle('RST'));
  });
  socket.write(`GET ${path} HTTP/1.1\r\nhost: node\r\n\r\n`);
  return { socket, received: () => state.received, ended };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function answers({ node }: Scene): Promise<boolean> {
  return (await fetch(`${node.url}/v2/`)).status === 200;
}

/** How long the main threads of a process and of what it runs have waited for a processor; zero when they have ended. */
async function starvedMs(pid: number): Promise<number> {
  const read = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');
  const own = Number((await read(`/proc/${pid}/schedstat`)).split(' ')[1] ?? 0) / 1e6;
  const children = (await read(`/proc/${pid}/task/${pid}/children`)).split(' ').filter((text) => text !== '');
  const others = await Promise.all(children.map((child) => starvedMs(Number(child))));
  return others.reduce((sum, ms) => sum + ms, own);
}

/** On a crowded machine a loop without an end has to wait for its processor too. Resolves at the node's end. */
async function starvedUntilEnd({ ended, pid }: ProgramNode): Promise<number> {
  const before = await starvedMs(pid);
  const state = { isOver: false, waitedMs: 0 };
  void ended.then(() => (state.isOver = true));
  while (!state.isOver) {
    state.waitedMs = Math.max(state.waitedMs, (await starvedMs(pid)) - before);
    await pause(10);
  }
  return state.waitedMs;
}

/** What it said at its end. Times are from the standstill on. */
async function assertGone({ node }: Scene, client: RawClient, sinceMs: number): Promise<string> {
  const starved = starvedUntilEnd(node);
  const { atMs } = await client.ended;
  const { code, stderr } = await node.ended;
  const goneMs = performance.now() - sinceMs - (await starved);
  assert.ok(code === null || code === 128 + trapSignal, `ended by a signal, not with ${code}`);
  assert.ok(goneMs < goneWithinMs, `the process lived for ${goneMs} ms`);
  assert.ok(atMs - sinceMs - (await starved) < goneWithinMs, `the connection lived for ${atMs - sinceMs} ms`);
  assert.ok(atMs - sinceMs > noticedAfterMs, `the connection ended after ${atMs - sinceMs} ms`);
  const lines = stderr.split('\n').filter((line) => line.includes('has stood still'));
  assert.equal(lines.length, 1, stderr);
  return lines[0] ?? '';
}

function assertStack(line: string, place: RegExp): void {
  const { level, stack } = JSON.parse(line) as { level: string; stack: string | readonly string[] };
  assert.equal(level, 'ERROR');
  const where = typeof stack === 'string' ? stack : (stack[0] ?? '');
  // Who has to share its processors with so many may not come to say it in time.
  const [load = 0] = loadavg();
  if (load > 2 * availableParallelism() && /how busy the machine is/.test(where)) return;
  assert.match(where, place, 'where it stood');
}

/** Without work: on a crowded machine what works waits for a processor, and that is no standstill. */
const standStill =
  'function standingStill() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); } standingStill();';

test(
  'watchdog: a standstill before the head: the connection ends, the process has gone within 5 s',
  { timeout },
  async (context) => {
    const scene = await openScene(context);
    assert.ok(await answers(scene));
    scene.run(standStill);
    const sinceMs = performance.now();
    await pause(frozenAfterMs);
    // The kernel takes the connection, and nobody reads what is asked: so it is reset, as the kernel does with unread bytes.
    const client = get(scene.node.url, scene.blobPath);
    assertStack(await assertGone(scene, client, sinceMs), /standingStill/);
    assert.equal(client.received(), 0);
  },
);

test(
  'watchdog: a standstill in mid-body: the connection ends with FIN within 5 s, before its last byte',
  { timeout },
  async (context) => {
    const scene = await openScene(context);
    const client = get(scene.node.url, scene.blobPath);
    await until(() => client.received() > mebibyte);
    client.socket.pause();
    scene.run(standStill);
    const sinceMs = performance.now();
    await pause(frozenAfterMs);
    client.socket.resume();
    assertStack(await assertGone(scene, client, sinceMs), /standingStill/);
    assert.equal((await client.ended).how, 'FIN');
    assert.ok(client.received() > mebibyte && client.received() < scene.sizeBytes, `${client.received()}`);
  },
);

test(
  'watchdog: a main thread that hangs in a system call cannot be asked where it stands, and ends all the same',
  { timeout },
  async (context) => {
    const scene = await openScene(context);
    const fifo = `${scene.node.layout.directory}/fifo`;
    await promisify(execFile)('mkfifo', [fifo]);
    scene.run(`process.getBuiltinModule('node:fs').readFileSync('${fifo}')`);
    const sinceMs = performance.now();
    await pause(frozenAfterMs);
    const client = get(scene.node.url, '/v2/');
    assertStack(await assertGone(scene, client, sinceMs), /^in a system call \(\w+\)/);
  },
);

test(
  'watchdog: the first process of a container, which its own SIGKILL does not end, ends too',
  { timeout, skip: process.getuid?.() === 0 ? false : 'a process namespace takes root' },
  async (context) => {
    const scene = await openScene(context, [], ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']);
    const client = get(scene.node.url, scene.blobPath);
    await until(() => client.received() > mebibyte);
    client.socket.pause();
    scene.run(standStill);
    const sinceMs = performance.now();
    await pause(frozenAfterMs);
    client.socket.resume();
    assertStack(await assertGone(scene, client, sinceMs), /standingStill/);
    assert.equal((await client.ended).how, 'FIN');
  },
);

test(
  'watchdog: two seconds of work, a stopped process and a pause in a debugger are no standstill',
  { timeout },
  async (context) => {
    const scene = await openScene(context);
    const beforeMs = performance.now();
    scene.run('const until = performance.now() + 2000; while (performance.now() < until);');
    await pause(frozenAfterMs);
    assert.ok(await answers(scene));
    assert.ok(performance.now() - beforeMs > 1900, 'it stood still for two seconds');

    scene.node.signal('SIGSTOP');
    await pause(6000);
    scene.node.signal('SIGCONT');
    assert.ok(await answers(scene));

    await scene.devtools.send('Debugger.enable');
    const paused = new Promise((resolve) => {
      scene.devtools.on('Debugger.paused', resolve);
    });
    scene.run('debugger;');
    await paused;
    await pause(5000);
    await scene.devtools.send('Debugger.resume');
    assert.ok(await answers(scene));
    assert.ok(await answers(scene));
  },
);

test('watchdog: a start that takes its time is no standstill', { timeout }, async (context) => {
  // The first address that is listened on is the metrics'.
  const script = `import { Server } from 'node:net';
    const { listen } = Server.prototype;
    Server.prototype.listen = function (...args) {
      Server.prototype.listen = listen;
      const until = performance.now() + ${goneWithinMs};
      while (performance.now() < until);
      return listen.apply(this, args);
    };`;
  const directory = await openFolder(context);
  const node = await startProgramNode(context, {
    directory,
    name: 'node',
    nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(script)}`],
  });
  assert.equal((await fetch(`${node.url}/v2/`)).status, 200);
});

test('watchdog: off when told so', { timeout }, async (context) => {
  const scene = await openScene(context, ['--watchdog=false']);
  scene.run(`const until = performance.now() + ${goneWithinMs}; while (performance.now() < until);`);
  assert.ok(await answers(scene));
});
