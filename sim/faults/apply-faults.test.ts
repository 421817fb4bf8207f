import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../run/simulate.ts';
import type { SimResult } from '../run/simulate.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Fault } from './fault.ts';

const megabyte = 1_000_000;
const layer = 50 * megabyte;
const image = { name: 'docker.io/library/app:1', layerBytes: [layer] };
const beginUs = 20_000_000;

/** Nodes 1 and 2 have the image, 2 in the zone of node 0, which pulls it over a cable that takes half a second for it. */
function run(faults: readonly Fault[], holders = [1, 2]): Promise<SimResult> {
  const scenario: Scenario = {
    name: 'a fault in mid-blob',
    shows: 'what a fault does',
    cluster: {
      nodes: 3,
      zones: 2,
      upBytesPerSecond: 100 * megabyte,
      downBytesPerSecond: 100 * megabyte,
      latencyUs: 200,
      zoneLatencyUs: 200,
      mirrorBytesPerSecond: 2_000 * megabyte,
    },
    upstream: { bytesPerSecond: 100 * megabyte, latencyUs: 5_000 },
    images: [image],
    workload: [
      ...holders.map((node, order) => ({ atUs: 1_000_000 + order * 5_000_000, node, image: image.name })),
      { atUs: beginUs, node: 0, image: image.name },
    ],
    faults,
    untilUs: 900_000_000,
  };
  return simulate(scenario, { drain: 'tick' });
}

const midBlobUs = beginUs + 250_000;
const both = (what: Fault['what'], atUs = midBlobUs): Fault[] => [1, 2].map((target) => ({ atUs, target, what }));

async function pullOf(
  faults: readonly Fault[],
  holders?: number[],
): Promise<{ outcome: string; seconds: number; upstream: number }> {
  const { pulls, upstreamBytes, violations } = await run(faults, holders);
  assert.deepEqual(violations, []);
  const { outcome = '', tookUs = Infinity } = pulls.at(-1) ?? {};
  return { outcome, seconds: tookUs / 1e6, upstream: upstreamBytes / layer - 1 };
}

test('fault: none: half a second from a peer', async () => {
  const { outcome, seconds, upstream } = await pullOf([]);
  assert.equal(outcome, 'ok');
  assert.ok(seconds > 0.5 && seconds < 0.6, `${seconds} s`);
  assert.ok(upstream < 0.01, `${upstream} copies`);
});

test('fault: crash of all holders in mid-blob: the upstream gives the rest', async () => {
  const { outcome, upstream } = await pullOf(both({ kind: 'crash' }));
  assert.equal(outcome, 'ok');
  assert.ok(upstream > 0.3 && upstream < 0.7, `${upstream} copies`);
});

test('fault: pause of all holders in mid-blob: the stall bound passes, then the upstream gives the rest', async () => {
  const { outcome, seconds, upstream } = await pullOf(both({ kind: 'pause' }));
  assert.equal(outcome, 'ok');
  assert.ok(seconds > 2.5 && seconds < 5.5, `${seconds} s`);
  assert.ok(upstream > 0.3 && upstream < 0.7, `${upstream} copies`);
});

test('fault: the only holder is unplugged in mid-blob and plugged in a second later: its bytes go on', async () => {
  const what = { kind: 'unplug' } as const;
  const { outcome, seconds, upstream } = await pullOf(
    [{ atUs: midBlobUs, target: 1, what, untilUs: midBlobUs + 1_000_000 }],
    [1],
  );
  assert.equal(outcome, 'ok');
  assert.ok(seconds > 1.5 && seconds < 1.7, `${seconds} s`);
  assert.ok(upstream < 0.01, `${upstream} copies`);
});

// Found by calibration: lookups are slow as long as their keeper is not known to be gone, and each of them was worth waiting for.
test('fault: the only holder, a keeper of its records too, is unplugged for good: one stall, not two', async () => {
  const { outcome, seconds, upstream } = await pullOf([{ atUs: midBlobUs, target: 1, what: { kind: 'unplug' } }], [1]);
  assert.equal(outcome, 'ok');
  assert.ok(seconds > 2.5 && seconds < 3.4, `${seconds} s`);
  assert.ok(upstream > 0.3 && upstream < 0.7, `${upstream} copies`);
});

test('fault: a wrong byte in both files: the pull fails once, by the digest', async () => {
  const { outcome } = await pullOf(both({ kind: 'corrupt', atByte: 7 }, beginUs - 1));
  assert.equal(outcome, 'wrong-digest');
});

test('fault: layers removed from both stores: all from upstream', async () => {
  const { outcome, upstream } = await pullOf(both({ kind: 'remove-layers' }, beginUs - 1_000_000));
  assert.equal(outcome, 'ok');
  assert.ok(upstream > 0.99, `${upstream} copies`);
});

test('fault: a cable of a tenth: ten times as long', async () => {
  const { seconds } = await pullOf([
    { atUs: beginUs, target: 0, what: { kind: 'rate', bytesPerSecond: 10 * megabyte } },
  ]);
  assert.ok(seconds > 5 && seconds < 5.2, `${seconds} s`);
});

test('fault: the upstream refuses: whoever has no peer fails', async () => {
  const fault: Fault = { atUs: 0, target: 'upstream', what: { kind: 'http', fault: { kind: 'refuse' } } };
  const { outcome } = await pullOf([fault]);
  assert.equal(outcome, 'no-host');
});

for (const fault of [
  { kind: 'refuse' },
  { kind: 'black-hole' },
  { kind: 'silent-head' },
  { kind: 'reset', atByte: 1_000_000 },
  { kind: 'stall', atByte: 1_000_000 },
  { kind: 'status', status: 503 },
  { kind: 'ignore-range' },
  { kind: 'shift-range', bytes: 1 },
  { kind: 'other-size', bytes: 1 },
] as const) {
  test(`fault: ${fault.kind} at one holder of two: the pull succeeds, nothing from upstream`, async () => {
    const { outcome, upstream } = await pullOf([{ atUs: beginUs - 1, target: 2, what: { kind: 'http', fault } }]);
    assert.equal(outcome, 'ok');
    assert.ok(upstream < 0.01, `${upstream} copies`);
  });
}
