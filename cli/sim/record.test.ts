import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parsePullTrace } from '../../sim/index.ts';
import { createFakeContainerd } from '../../transports/containerd/testing/fake-containerd.ts';
import type { FakeContainerd } from '../../transports/containerd/testing/fake-containerd.ts';
import { until } from '../../transports/containerd/testing/started-store.ts';
import { readRecordOptions } from './record-options.ts';
import type { RecordOptions } from './record-options.ts';
import { record } from './record.ts';
import { run } from './run.ts';
import type { SimIo } from './sim-io.ts';

let directory = '';
let containerd: FakeContainerd;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peili-record-'));
  containerd = await createFakeContainerd();
  containerd.hasContentEvents = true;
});
after(async () => {
  await containerd.remove();
  await rm(directory, { recursive: true, force: true });
});

const optionsOf = (output: string): RecordOptions =>
  readRecordOptions(
    { containerdSock: containerd.socket, output: join(directory, output), node: 'a', zone: 'x', for: '10m' },
    {},
  );

function ioOf(
  signal: AbortSignal,
  onProgress = (_text: string): void => undefined,
): SimIo & { readonly out: string[] } {
  const out: string[] = [];
  const progress = { line: (text = '') => void out.push(text), progress: onProgress, clear: () => undefined };
  return { out, version: '1', width: Infinity, signal, writeOut: (text) => void out.push(text), progress };
}

const image = 'registry.example/team/app:1';

test('sim record: what is pulled is a line as soon as it is there; stopped, the file is whole, and it is a workload', async () => {
  const stop = new AbortController();
  const options = optionsOf('node-a.jsonl');
  const io = ioOf(stop.signal, (text) => {
    if (text.includes(`2 pulls, the last one ${image.replace('app', 'other')}`)) stop.abort();
  });
  const ended = record(options, io);
  await until(() => io.out.length > 0);
  await containerd.addImage(image, ['x'.repeat(1000), 'y']);
  await containerd.addImage(image.replace('app', 'other'), ['y', 'z']);
  assert.equal(await ended, 0);
  assert.deepEqual(io.out, [
    `Recording what containerd 2.1.9 pulls into ${options.output}; Ctrl-C ends it.`,
    `2 pulls in ${options.output}\npeili sim run ${options.output}\n`,
  ]);
  const { pulls, startedAtMs } = parsePullTrace(await readFile(options.output, 'utf8'));
  assert.deepEqual(
    pulls.map(({ image: name, layers, node, zone }) => [name, node, zone, layers.map(({ sizeBytes }) => sizeBytes)]),
    [
      [image, 'a', 'x', [1000, 1]],
      [image.replace('app', 'other'), 'a', 'x', [1, 1]],
    ],
  );
  assert.ok(startedAtMs !== undefined && startedAtMs > 1_600_000_000_000);
  const simulated = ioOf(new AbortController().signal);
  const plan = { nodes: undefined, seed: 1, seeds: undefined, policies: ['peili'], set: [], report: undefined };
  assert.equal(await run({ scenario: options.output, json: true, ...plan }, simulated), 0);
  const { nodes, runs } = JSON.parse(simulated.out.join('')) as { nodes: number; runs: { pulls: unknown[] }[] };
  assert.deepEqual([nodes, runs.map(({ pulls: each }) => each.length)], [1, [2]]);
});

test('sim record: a file that is there is kept; no socket, and one that nobody may open, are one sentence', async () => {
  const { signal } = new AbortController();
  await writeFile(join(directory, 'old.jsonl'), 'kept');
  await assert.rejects(
    record(optionsOf('old.jsonl'), ioOf(signal)),
    /^PeiliError: --output ".*old\.jsonl" is there already: give another name$/,
  );
  assert.equal(await readFile(join(directory, 'old.jsonl'), 'utf8'), 'kept');
  await assert.rejects(
    record(optionsOf('no/new.jsonl'), ioOf(signal)),
    /^PeiliError: --output ".*new\.jsonl" cannot be written: there is no such file or folder$/,
  );
  const missing = { ...optionsOf('new.jsonl'), socket: join(directory, 'no.sock') };
  await assert.rejects(record(missing, ioOf(signal)), /^PeiliError: nothing answers at .*no\.sock: .*ENOENT/);
  await assert.rejects(readFile(missing.output), { code: 'ENOENT' });
});

test('sim record: its options, and what is wrong with one in a sentence', () => {
  const { forUs, namespace, node, socket } = optionsOf('x');
  assert.deepEqual([forUs, namespace, node, socket], [600_000_000, 'k8s.io', 'a', containerd.socket]);
  for (const [given, says] of [
    [{}, '--output is missing: give the file to write, trace.jsonl'],
    [{ output: 'x', for: '0' }, '--for "0": give a duration above 0, such as 10m'],
    [{ output: 'x', for: '10' }, '--for "10": give a duration with units, such as 20ms, 1.5s or 1m30s'],
    [{ output: 'x', containerdSock: 'run.sock' }, '--containerd-sock "run.sock": give an absolute path'],
  ] as const) {
    assert.throws(() => readRecordOptions(given, {}), { message: says });
  }
});
