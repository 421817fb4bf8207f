import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { until } from '../../testbed/index.ts';
import { parsePullTrace } from '../../sim/index.ts';
import { openCluster } from './cluster-fixture.ts';
import { peili, program } from './own-program.ts';

test('record: what a node pulls is a trace, ended by a signal, and the simulator runs it', async (context) => {
  const cluster = await openCluster(context, { nodes: 1 });
  const node = cluster.node(0);
  const old = await cluster.upstream.addImage({ name: 'team/old:1', layers: [{ sizeBytes: 20_000 }] });
  const image = await cluster.upstream.addImage({
    name: 'team/app:1.0',
    layers: [{ sizeBytes: 3_000_000 }, { sizeBytes: 50_000 }],
  });
  const pinned = await cluster.upstream.addImage({ name: 'team/pinned:1', layers: [{ sizeBytes: 30_000 }] });
  const byDigest = pinned.name.replace(/:1$/, `:${pinned.root.digest.replace(':', '-').slice(0, 19)}`);
  await node.writeHosts([]);
  await node.pull(old.name);
  const output = join(node.files.directory, 'trace.jsonl');
  const recording = node.spawn([...program, 'sim', 'record', '--output', output, '--node', 'node-a', '--zone', 'x'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: '/root' },
  });
  const { stderr, stdout } = recording;
  if (stderr === null || stdout === null) throw new Error('its output is not piped');
  const ended = new Promise<number | null>((resolve) => void recording.once('close', resolve));
  const out = text(stdout);
  let err = '';
  stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  const lines = async (): Promise<number> => (await readFile(output, 'utf8').catch(() => '')).split('\n').length - 1;
  await until('the recording has begun', () => Promise.resolve(err.includes('Ctrl-C ends it')));
  await node.pull(image.name);
  await until('the pull is in the trace', async () => (await lines()) === 2);
  await node.pull(image.name);
  await node.removeImage(old.name);
  await node.pull(old.name);
  await until('the other pull is in the trace', async () => (await lines()) >= 3);
  await node.pull(`${pinned.name.replace(/:[^:/]*$/, '')}@${pinned.root.digest}`);
  await until('what was pulled by digest is in the trace', async () => (await lines()) >= 4);
  recording.kill('SIGINT');
  assert.equal(await ended, 0, err);
  assert.equal(await out, `3 pulls in ${output}\npeili sim run ${output}\n`);
  const { pulls } = parsePullTrace(await readFile(output, 'utf8'));
  assert.deepEqual(
    pulls.map(({ image: name, layers, node: by, zone }) => [name, by, zone, layers.length]),
    [
      [image.name, 'node-a', 'x', 2],
      [old.name, 'node-a', 'x', 1],
      [byDigest, 'node-a', 'x', 1],
    ],
  );
  const [first] = pulls;
  for (const { digest, sizeBytes } of first?.layers ?? []) assert.equal(image.blobs.get(digest)?.sizeBytes, sizeBytes);
  assert.ok((first?.tookMs ?? 0) > 0, 'a pull begins before it ends');
  const simulated = await peili(node, 'sim', 'run', output, '--policy', 'peili', '--json');
  assert.equal(simulated.code, 0, simulated.err);
  const { runs } = JSON.parse(simulated.out) as { runs: { pulls: { outcome: string; image: string }[] }[] };
  assert.deepEqual(
    runs[0]?.pulls.map(({ outcome, image: name }) => [name, outcome]),
    [
      [image.name, 'ok'],
      [old.name, 'ok'],
      [byDigest, 'ok'],
    ],
  );
});
