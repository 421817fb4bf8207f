import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scenario } from '../scenario/scenario.ts';
import { simulate } from './simulate.ts';

/** Before any run of this file. */
const realRandom: unknown = Reflect.get(Math, 'random');

const megabyte = 1_000_000;
const image = { name: 'docker.io/library/app:1', layerBytes: [20 * megabyte, 5 * megabyte, 1 * megabyte] };

/** One node pulls, then all the others do. */
const scenario: Scenario = {
  name: 'second wave',
  shows: 'what one node has, the others get from it',
  cluster: {
    nodes: 6,
    zones: 2,
    upBytesPerSecond: 125 * megabyte,
    downBytesPerSecond: 125 * megabyte,
    latencyUs: 200,
    zoneLatencyUs: 800,
    mirrorBytesPerSecond: 2_000 * megabyte,
  },
  upstream: { bytesPerSecond: 50 * megabyte, latencyUs: 10_000 },
  images: [image],
  workload: Array.from({ length: 6 }, (_, node) => ({
    atUs: node === 0 ? 1_000_000 : 10_000_000,
    node,
    image: image.name,
  })),
  faults: [],
  untilUs: 600_000_000,
};

test('simulate: the second wave of a rollout takes nothing from upstream', async () => {
  const { pulls, upstreamBytes } = await simulate(scenario);
  assert.deepEqual(new Set(pulls.map(({ outcome }) => outcome)), new Set(['ok']));
  assert.ok(upstreamBytes > 26 * megabyte && upstreamBytes < 27 * megabyte, `one copy, not ${upstreamBytes} bytes`);
});

test('simulate: without a mirror each node takes its own copy', async () => {
  const { upstreamBytes } = await simulate(scenario, { policy: 'noMirror' });
  assert.ok(upstreamBytes > 6 * 26 * megabyte, `six copies, not ${upstreamBytes} bytes`);
});

test('simulate: the same seed is the same run, whichever way promises settle; another seed is another', async () => {
  const [first, again, ticked, other] = [
    await simulate(scenario, { seed: 7 }),
    await simulate(scenario, { seed: 7 }),
    await simulate(scenario, { seed: 7, drain: 'tick' }),
    await simulate(scenario, { seed: 8 }),
  ];
  assert.deepEqual(again, first);
  assert.deepEqual(ticked, first);
  assert.notEqual(other.hash, first.hash);
});

test('simulate: real chance fails the run, and is there again afterwards', async () => {
  const running = simulate(scenario, {
    onWorld: ({ kernel }) => {
      kernel.schedule(2_000_000, () => Reflect.apply(Reflect.get(Math, 'random'), Math, []));
    },
  });
  await assert.rejects(running, /^Error: Math\.random was used while a simulation ran/);
  assert.equal(Reflect.get(Math, 'random'), realRandom);
});

test('simulate: whoever does many runs has errors without stacks, inside of them alone', async () => {
  const limits: number[] = [];
  const frames = Error.stackTraceLimit;
  await simulate(scenario, {
    stackFrames: 0,
    onWorld: ({ kernel }) => {
      kernel.schedule(2_000_000, () => limits.push(Error.stackTraceLimit));
    },
  });
  assert.deepEqual([limits, Error.stackTraceLimit], [[0], frames]);
});
