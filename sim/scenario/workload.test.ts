import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../run/simulate.ts';
import { formatPullTrace } from '../traces/pull-trace.ts';
import type { TracedPull } from '../traces/pull-trace.ts';
import { judgeExpectations } from './judge-expectations.ts';
import { readUnknown } from './read-scenario.ts';
import type { Plan } from './plan.ts';

const image = 'docker.io/library/app:1';
const base = { cluster: { nodes: 3 }, images: [{ name: image, layers: ['1MB', '2MB'] }] };
const traced = (node: string, atMs: number, name = image): TracedPull => ({
  atMs,
  node,
  zone: node === 'b' ? 'y' : '',
  image: name,
  layers: [{ digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1_000_000 }],
});
const files: Readonly<Record<string, string>> = {
  'a.jsonl': formatPullTrace({ startedAtMs: 1_000_500, pulls: [traced('a', 0), traced('a', 10_000)] }),
  'b.jsonl': formatPullTrace({ startedAtMs: 1_000_000, pulls: [traced('b', 7, 'ghcr.io/other:1')] }),
  'bad.jsonl': '{"peili-trace":1}\n{}\n',
};
const readTrace = (file: string): string => {
  const text = files[file];
  if (text === undefined) throw new Error('there is no such file');
  return text;
};
const read = (workload: readonly object[], changes: object = {}): Plan =>
  readUnknown({ ...base, workload, ...changes }, { readTrace });

test('workload: pods come as pulls do, and their kubelets pull', async () => {
  const plan = read([{ pod: [image], except: 'n0', at: '5s', every: '1s', pullPolicy: 'Always' }], {
    expect: { peili: { pending: 0, slowest: 'at least 1s', upstreamCopies: 'at least 1' } },
  });
  const pod = { images: [image], pullPolicy: 'Always' };
  assert.deepEqual(plan.scenario.pods, [
    { atUs: 5_000_000, node: 1, ...pod },
    { atUs: 6_000_000, node: 2, ...pod },
  ]);
  assert.deepEqual([plan.scenario.workload, plan.scenario.asks], [[], undefined]);
  const result = await simulate(plan.scenario, { drain: 'tick' });
  assert.ok(result.pods.every(({ readyUs }) => readyUs !== undefined));
  assert.deepEqual(judgeExpectations(plan, result), []);
  const late = { ...plan, scenario: { ...plan.scenario, untilUs: 5_500_000 } };
  const cut = await simulate(late.scenario, { drain: 'tick' });
  assert.match(judgeExpectations(late, cut).map(({ says }) => says)[0] ?? '', /pending is 2, expected 0$/);
});

test('workload: a client that is no containerd asks for a part, slowly, and hangs up', () => {
  const { scenario } = read([
    { pull: image },
    { ask: image, what: 1, on: 'n1', range: 'bytes=-100', rate: '1kB/s', bytes: 50, patience: '2s', method: 'HEAD' },
    { ask: image, what: 'tag', on: 'first 2', every: '1s' },
  ]);
  const ask = { image, what: 1, method: 'HEAD', range: 'bytes=-100', bytesPerSecond: 1_000 };
  assert.deepEqual(scenario.asks, [
    { atUs: 0, node: 1, ...ask, bytesMax: 50, patienceUs: 2_000_000 },
    { atUs: 0, node: 0, image, what: 'tag' },
    { atUs: 1_000_000, node: 1, image, what: 'tag' },
  ]);
});

test('workload: a part that comes after another one, node by node', () => {
  const pull = (changes: object): object => ({ pull: image, ...changes });
  const { scenario } = read([
    pull({ on: 'n2' }),
    pull({ on: ['n0', 'n1'] }),
    pull({ after: 1, on: ['n0', 'n1'], at: '1s' }),
    pull({ after: 0 }),
  ]);
  assert.deepEqual(
    scenario.workload.map(({ after, atUs, node }) => [node, after, atUs]),
    [
      [2, undefined, 0],
      [0, undefined, 0],
      [1, undefined, 0],
      [0, 1, 1_000_000],
      [1, 2, 1_000_000],
      [0, 0, 0],
      [1, 0, 0],
      [2, 0, 0],
    ],
  );
});

test('workload: traces are pulls of their nodes, beside each other as they were; or all of them on each node', () => {
  const { scenario } = read([{ trace: ['a.jsonl', 'b.jsonl'] }], { cluster: {}, images: [], until: undefined });
  const { cluster, images, untilUs, workload } = scenario;
  assert.deepEqual([cluster.nodes, cluster.nameOf, cluster.zoneOf], [2, ['b', 'a'], ['y', 'z0']]);
  assert.deepEqual(
    images.map(({ name }) => name),
    ['ghcr.io/other:1', image],
  );
  assert.deepEqual(
    workload.map(({ atUs, node }) => [atUs, node]),
    [
      [7_000, 0],
      [500_000, 1],
      [10_500_000, 1],
    ],
  );
  assert.equal(untilUs, 10_500_000 + 3_600_000_000, 'an hour after the last one');
  const everywhere = read([{ trace: 'b.jsonl', on: 'all', at: '1s' }]).scenario.workload;
  assert.deepEqual(
    everywhere.map(({ atUs, node }) => [atUs, node]),
    [0, 1, 2].map((node) => [1_007_000, node]),
  );
});

for (const [part, says] of [
  [{}, 'workload[0]: {} is no work: write pull, pod, ask or trace, and on, at, ... below it'],
  [7, 'workload[0]: 7 is no work: write pull, pod, ask or trace, and on, at, ... below it'],
  [{ pod: 'x:1' }, 'workload[0].pod: "x:1" is not among images'],
  [
    { pod: image, pullPolicy: 'Never' },
    'workload[0].pullPolicy: "Never" is no policy of pulling: it may be IfNotPresent or Always',
  ],
  [
    { pod: image, jitter: '1s' },
    'workload[0].jitter: is not known here: it may have pod, on, except, at, every, waves, arrivals or pullPolicy',
  ],
  [
    { ask: image, what: 'layer' },
    'workload[0].what: "layer" is no part of an image: write tag, manifest, config, or a layer by its index, 0',
  ],
  [{ ask: image }, 'workload[0].what: is missing'],
  [{ ask: image, what: 2 }, `workload[0].what: 2 is no layer of "${image}": 0 to 1`],
  [{ pull: image, after: 0 }, 'workload[0].after: 0 is no part of the workload before this one: there is none'],
  [{ pull: image, after: 0, waves: 2 }, 'workload[0].after: stands beside waves: nodes pull in one way or the other'],
  [{ trace: 'c.jsonl' }, 'workload[0].trace: "c.jsonl" cannot be read: there is no such file'],
  [
    { trace: 'bad.jsonl' },
    'workload[0].trace: "bad.jsonl", line 2: atMs is missing: whole milliseconds since the trace began',
  ],
  [
    { trace: 'a.jsonl' },
    'workload[0].trace: its node "a" is not in the cluster: leave cluster.nodes out, and the nodes are those of the trace, or write on',
  ],
] as const) {
  test(`workload: ${JSON.stringify(part)} is one sentence`, () => {
    assert.throws(() => read([part as object]), { name: 'ScenarioError', message: says });
  });
}

test('workload: without a trace the cluster has to say how many nodes it has; without a reader there is no trace', () => {
  assert.throws(() => read([{ pull: image }], { cluster: {} }), {
    message: 'cluster.nodes: is missing: how many, or a list of groups with name and count',
  });
  assert.throws(() => readUnknown({ workload: [{ trace: 'a.jsonl' }] }), {
    message: 'workload[0].trace: "a.jsonl" cannot be read here: give readTrace, or run it with peili sim',
  });
});
