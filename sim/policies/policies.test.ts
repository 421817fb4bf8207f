import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../run/simulate.ts';
import type { PullSpec, Scenario } from '../scenario/scenario.ts';
import type { Fault } from '../faults/fault.ts';
import { mixed } from './mixed.ts';
import { noMirror, peili } from './peili.ts';
import { spegelLike } from './spegel/spegel-like.ts';
import { binomialTree } from './tree/tree-mirror.ts';

const megabyte = 1_000_000;
const image = { name: 'docker.io/library/app:1', layerBytes: [100 * megabyte] };

function scenarioOf(nodes: number, workload: readonly PullSpec[], faults: readonly Fault[] = []): Scenario {
  return {
    name: 'one image',
    shows: 'how it gets to all nodes',
    cluster: {
      nodes,
      zones: 1,
      upBytesPerSecond: 100 * megabyte,
      downBytesPerSecond: 100 * megabyte,
      latencyUs: 200,
      zoneLatencyUs: 200,
      mirrorBytesPerSecond: 2_000 * megabyte,
    },
    upstream: { bytesPerSecond: 100 * megabyte, latencyUs: 1_000 },
    images: [image],
    workload,
    faults,
    untilUs: 3_600_000_000,
  };
}

const together = (nodes: number): readonly PullSpec[] =>
  Array.from({ length: nodes }, (_, node) => ({ atUs: 1_000_000, node, image: image.name }));

test('binomial tree: one copy from upstream, then holders double: 1 + log2(16) times the time of one copy', async () => {
  const { makespanUs, pulls, upstreamBytes } = await simulate(scenarioOf(16, together(16)), { policy: binomialTree });
  assert.ok(pulls.every(({ outcome }) => outcome === 'ok'));
  assert.ok(upstreamBytes < 101 * megabyte, `${upstreamBytes} bytes from upstream`);
  assert.ok(makespanUs > 5_000_000 && makespanUs < 5_150_000, `${makespanUs} us`);
});

test('binomial tree: whoever was sent upstream for all and is killed is replaced', async () => {
  const faults: Fault[] = [{ atUs: 1_500_000, target: 0, what: { kind: 'crash' } }];
  const { pulls, upstreamBytes } = await simulate(scenarioOf(4, together(4), faults), { policy: binomialTree });
  assert.ok(pulls.every(({ outcome }) => outcome === 'ok'));
  // Its own containerd goes on, so there may be a second copy.
  assert.ok(upstreamBytes < 201 * megabyte, `${upstreamBytes} bytes from upstream`);
});

for (const release of ['0.4', '0.6', '0.7'] as const) {
  test(`mixed: ours and Spegel ${release} each find what the other holds`, async () => {
    const both = mixed('both', (node) => (node % 2 === 0 ? peili : spegelLike(release)));
    for (const holder of [0, 1]) {
      // Whoever asks after the holder finds it alone.
      const workload = [holder, 1 - holder].map((node, order) => ({
        atUs: 1_000_000 + 10_000_000 * order,
        node,
        image: image.name,
      }));
      const { pulls, upstreamBytes } = await simulate(scenarioOf(4, workload), { policy: both });
      assert.ok(pulls.every(({ outcome }) => outcome === 'ok'));
      assert.ok(upstreamBytes < 101 * megabyte, `holder ${holder}: ${upstreamBytes} bytes from upstream`);
    }
  });
}

test('mixed: nodes without a mirror ask the upstream alone; the others do not notice', async () => {
  const half = mixed('half', (node) => (node < 2 ? noMirror : peili));
  const workload = [2, 3, 0].map((node, order) => ({ atUs: 1_000_000 + 10_000_000 * order, node, image: image.name }));
  const { upstreamBytes } = await simulate(scenarioOf(4, workload), { policy: half });
  assert.ok(upstreamBytes > 200 * megabyte && upstreamBytes < 201 * megabyte, `${upstreamBytes} bytes from upstream`);
});

test('Spegel: content is gone from a node that holds it no longer, and records of it go on for minutes: a pull goes on all the same', async () => {
  const faults: Fault[] = [{ atUs: 5_000_000, target: 0, what: { kind: 'remove-layers' } }];
  for (const release of ['0.4', '0.6', '0.7'] as const) {
    const workload = [0, 1].map((node, order) => ({ atUs: 1_000_000 + 10_000_000 * order, node, image: image.name }));
    const { pulls } = await simulate(scenarioOf(2, workload, faults), { policy: spegelLike(release) });
    assert.deepEqual(
      pulls.map(({ outcome }) => outcome),
      ['ok', 'ok'],
      release,
    );
  }
});

test('policies: each is the same run on both drains', async () => {
  const scenario = scenarioOf(
    6,
    [0, 1, 2, 3, 4, 5].map((node) => ({ atUs: 1_000_000 * node, node, image: image.name })),
  );
  const both = mixed('both', (node) => (node % 2 === 0 ? peili : spegelLike('0.7')));
  for (const policy of [spegelLike('0.4'), spegelLike('0.6'), spegelLike('0.7'), binomialTree, both]) {
    const [first, ticked] = [await simulate(scenario, { policy }), await simulate(scenario, { policy, drain: 'tick' })];
    assert.deepEqual(ticked, first, policy.name);
  }
});
