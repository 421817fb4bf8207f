import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { simulate } from '../run/simulate.ts';
import { parsePullTrace, TraceError } from './parse-pull-trace.ts';
import { PullRecorder } from './pull-recorder.ts';
import { formatPullTrace } from './pull-trace.ts';
import type { TracedLayer, TracedPull } from './pull-trace.ts';
import { workloadOfTrace } from './trace-workload.ts';

const layer = (number: number, sizeBytes = 1_000_000): TracedLayer => ({
  digest: `sha256:${number.toString(16).padStart(64, '0')}`,
  sizeBytes,
});
const head = '{"peili-trace":1}';
const image = 'docker.io/library/app:1';

test('trace: what is written is read again, whatever it is', () => {
  const layers = fc.array(
    fc.tuple(fc.nat(20), fc.nat()).map(([number, size]) => layer(number, size)),
    { maxLength: 4 },
  );
  const pull = fc.record(
    {
      atMs: fc.nat(),
      node: fc.constantFrom('n0', 'n1'),
      zone: fc.constantFrom('', 'z0'),
      image: fc.constantFrom(image, 'ghcr.io/a/b:2'),
      layers,
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(pull), (pulls) => {
      const sorted = pulls.toSorted((one, other) => one.atMs - other.atMs);
      assert.deepEqual(parsePullTrace(formatPullTrace({ pulls: sorted })).pulls, sorted);
    }),
    { seed: 1, numRuns: 50 },
  );
});

test('trace: layers stand once, with the first pull of an image', () => {
  const pull: TracedPull = { atMs: 1, node: 'n0', zone: '', image, layers: [layer(1)] };
  const lines = formatPullTrace({ pulls: [pull, { ...pull, node: 'n1' }] }).split('\n');
  assert.equal(lines[2], `{"atMs":1,"node":"n1","zone":"","image":"${image}"}`);
});

test('trace: what is wrong is said with its line, its field, its value and what is allowed', () => {
  const good = `{"atMs":1,"node":"n0","image":"${image}","layers":[]}`;
  const cases = [
    ['', 'line 1: the trace is empty: its first line is {"peili-trace":1}'],
    [good, 'line 1: no trace that can be read: it does not say that it is one; the first line is {"peili-trace":1}'],
    ['{"peili-trace":2}', 'line 1: no trace that can be read: its version is 2; the first line is {"peili-trace":1}'],
    [`${head}\n\n{`, 'line 3: this is no JSON'],
    [`${head}\n[]`, 'line 2: this is no object: []'],
    [`${head}\n${good.replace('1,', '1.5,')}`, 'line 2: atMs is 1.5: whole milliseconds since the trace began'],
    [`${head}\n{"atMs":1}`, 'line 2: node is missing: the name of the node'],
    [`${head}\n${good.replace(image, 'app')}`, 'line 2: image is "app": registry/repository:tag'],
    [
      `${head}\n${good.replace('node', 'nodes')}`,
      'line 2: there is no field "nodes": there are atMs, node, zone, image, layers, tookMs',
    ],
    [
      `${head}\n${good.replace(',"layers":[]', '')}`,
      `line 2: layers are missing: no line before has those of "${image}"`,
    ],
    [
      `${head}\n${good.replace('[]', '[{"digest":"x"}]')}`,
      'line 2: layers[0].digest is "x": sha256: and 64 hex digits',
    ],
    [
      `${head}\n${good.replace('[]', `[{"digest":"${layer(1).digest}"}]`)}`,
      'line 2: layers[0].sizeBytes is missing: a whole number of bytes',
    ],
  ] as const;
  for (const [text, message] of cases) {
    assert.throws(
      () => parsePullTrace(text),
      (error) => error instanceof TraceError && error.message === message,
      message,
    );
  }
});

test('trace: as a workload: nodes by name, layers that images share are fetched once, a tag that moved is another image', async () => {
  const pulls: readonly TracedPull[] = [
    { atMs: 0, node: 'a', zone: 'x', image, layers: [layer(1, 5_000_000), layer(2)] },
    { atMs: 10_000, node: 'a', zone: 'x', image: 'docker.io/library/other:1', layers: [layer(1, 5_000_000), layer(3)] },
    { atMs: 20_000, node: 'b', zone: 'y', image, layers: [layer(1, 5_000_000), layer(4)] },
  ];
  const { images, nodeNames, workload, zoneOf } = workloadOfTrace({ pulls });
  assert.deepEqual(
    [nodeNames, zoneOf],
    [
      ['a', 'b'],
      ['x', 'y'],
    ],
  );
  assert.deepEqual(
    workload.map((pull) => [pull.node, pull.image]),
    [
      [0, image],
      [0, 'docker.io/library/other:1'],
      [1, `${image}-moved-1`],
    ],
  );
  const rate = 100_000_000;
  const { upstreamBytes, pulls: results } = await simulate({
    name: 'trace',
    shows: 'a trace as a workload',
    cluster: {
      nodes: 2,
      zones: 1,
      upBytesPerSecond: rate,
      downBytesPerSecond: rate,
      latencyUs: 200,
      zoneLatencyUs: 200,
      mirrorBytesPerSecond: rate,
      zoneOf,
    },
    upstream: { bytesPerSecond: rate, latencyUs: 1_000 },
    images,
    workload,
    faults: [],
    untilUs: 100_000_000,
  });
  assert.deepEqual(
    results.map(({ outcome }) => outcome),
    ['ok', 'ok', 'ok'],
  );
  // Layer 1 comes once for three images and two nodes.
  assert.ok(upstreamBytes > 8_000_000 && upstreamBytes < 8_050_000, `${upstreamBytes} bytes`);
});

test('recorder: a pull begins with its first new content and ends with its name; names that nobody pulls are none', () => {
  const recorder = new PullRecorder({ node: 'n0', zone: 'z0' });
  const layers = [layer(1), layer(2)];
  const [root, config] = [layer(5).digest, layer(6).digest];
  const named = { type: 'image', target: root, documents: [root, config], layers } as const;
  const same = 'docker.io/library/same:2';
  const old = 'docker.io/library/old:1';
  const events = [
    { type: 'known', name: old, target: root },
    { type: 'content', atMs: 100, digest: layer(9).digest },
    { type: 'content', atMs: 4_000_000, digest: root },
    { type: 'content', atMs: 4_000_400, digest: layer(2).digest },
    { type: 'content', atMs: 4_000_500, digest: layer(1).digest },
    { type: 'content', atMs: 4_000_900, digest: root },
    { ...named, atMs: 4_001_000, name: image },
    { ...named, atMs: 4_001_001, name: `docker.io/library/app@${root}` },
    { ...named, atMs: 4_001_002, name: layer(5).digest },
    // Labels.
    { ...named, atMs: 4_001_003, name: image },
    { ...named, atMs: 4_001_004, name: old },
    { ...named, atMs: 5_000_000, name: same },
    { type: 'image-removed', name: same },
    { ...named, atMs: 6_000_000, name: same },
    { type: 'content', atMs: 6_500_000, digest: layer(8).digest },
    {
      ...named,
      atMs: 6_500_100,
      name: `ghcr.io/a/b@${layer(8).digest}`,
      target: layer(8).digest,
      documents: [],
      layers: [layer(8)],
    },
    {
      ...named,
      atMs: 6_500_200,
      name: `ghcr.io/a/b@${layer(8).digest}`,
      target: layer(8).digest,
      documents: [],
      layers: [layer(8)],
    },
    { ...named, atMs: 7_000_000, name: same, target: layer(7).digest, documents: [], layers: [layer(1)] },
  ] as const;
  const pulls = events.map((event) => recorder.take(event)).filter((pull) => pull !== undefined);
  assert.deepEqual(
    pulls.map(({ atMs, image: name, tookMs }) => [atMs, name, tookMs]),
    [
      [4_000_000, image, 1_000],
      [5_000_000, same, 0],
      [6_000_000, same, 0],
      [6_500_000, 'ghcr.io/a/b:sha256-000000000000', 100],
      [7_000_000, same, 0],
    ],
  );
});
