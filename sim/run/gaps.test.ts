import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../run/simulate.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { Gaps } from './gaps.ts';

const megabyte = 1_000_000;
const second = 1_000_000;

test('gaps: bytes that were on their way while others were told of leave none', () => {
  const gaps = new Gaps();
  gaps.begin(0);
  const got = (sinceUs: number, atUs: number): void => {
    gaps.got({ sinceUs, atUs, bytes: 1, blob: undefined, offset: undefined });
  };
  got(3, 4);
  assert.equal(gaps.longestUs, 3);
  // Another body's step, told later.
  got(1, 5);
  assert.equal(gaps.longestUs, 1);
  got(8, 9);
  assert.equal(gaps.longestUs, 3);
  got(11, 12);
  got(7, 13);
  assert.equal(gaps.longestUs, 2, 'from 5 to 7');
  gaps.end(20);
  assert.equal(gaps.longestUs, 7);
});

test('gaps: what a mirror passes on came when it came to the mirror', () => {
  const gaps = new Gaps();
  gaps.begin(0);
  gaps.feed({ sinceUs: 10, atUs: 500, bytes: 100, blob: 1, offset: 100 });
  gaps.got({ sinceUs: 500, atUs: 501, bytes: 50, blob: 1, offset: 100 });
  assert.equal(gaps.longestUs, 10);
  // The same place of another blob.
  gaps.got({ sinceUs: 600, atUs: 601, bytes: 50, blob: 2, offset: 100 });
  assert.equal(gaps.longestUs, 99);
});

const image = { name: 'docker.io/library/app:1', layerBytes: [100 * megabyte, 900 * megabyte] };
const scenario: Scenario = {
  name: 'long bodies',
  shows: 'bytes that flow all the time',
  cluster: {
    nodes: 2,
    zones: 1,
    upBytesPerSecond: 20 * megabyte,
    downBytesPerSecond: 20 * megabyte,
    latencyUs: 200,
    zoneLatencyUs: 200,
    mirrorBytesPerSecond: 2_000 * megabyte,
  },
  upstream: { bytesPerSecond: 20 * megabyte, latencyUs: 10_000 },
  images: [image],
  workload: [{ atUs: second, node: 0, image: image.name }],
  faults: [],
  untilUs: 600 * second,
};

test('gaps: of bodies straight from the upstream there are none while it sends, however seldom it is looked at them', async () => {
  const gapOf = async (faults: Scenario['faults']): Promise<number> => {
    const { traffic } = await simulate({ ...scenario, faults }, { policy: 'noMirror', drain: 'tick' });
    return traffic.longestGapUs;
  };
  // Dials and heads.
  assert.ok((await gapOf([])) < 0.1 * second);
  const stalledUs = await gapOf([{ atUs: 30 * second, untilUs: 33 * second, target: 0, what: { kind: 'unplug' } }]);
  assert.ok(stalledUs >= 3 * second && stalledUs < 3.1 * second, `${stalledUs} us`);
});

test('gaps: of bodies that the own mirror relays there are none while their source sends', async () => {
  const workload = [0, 1].map((node) => ({ atUs: second + 100 * second * node, node, image: image.name }));
  const { traffic, upstreamBytes } = await simulate({ ...scenario, workload }, { drain: 'tick' });
  assert.ok(upstreamBytes < 1_001 * megabyte);
  assert.ok(traffic.longestGapUs < 0.1 * second, `${traffic.longestGapUs} us`);
});
