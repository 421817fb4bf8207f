import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../run/simulate.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { league } from './league.ts';
import { formatLeague } from './league-table.ts';
import { estimate, median, quantile } from './statistics.ts';

const megabyte = 1_000_000;
const image = { name: 'docker.io/library/app:1', layerBytes: [20 * megabyte] };
const scenario: Scenario = {
  name: 'second wave',
  shows: 'what one node has, the others get from it',
  cluster: {
    nodes: 5,
    zones: 2,
    upBytesPerSecond: 100 * megabyte,
    downBytesPerSecond: 100 * megabyte,
    latencyUs: 200,
    zoneLatencyUs: 800,
    mirrorBytesPerSecond: 2_000 * megabyte,
  },
  upstream: { bytesPerSecond: 20 * megabyte, latencyUs: 10_000 },
  images: [image],
  workload: Array.from({ length: 5 }, (_, node) => ({
    atUs: node === 0 ? 1_000_000 : 10_000_000,
    node,
    image: image.name,
  })),
  faults: [],
  untilUs: 600_000_000,
};

test('league: one copy from upstream instead of five, nobody slower, all bytes counted once', async () => {
  const results = [];
  for (const seed of [1, 2, 3]) {
    for (const policy of ['peili', 'noMirror'] as const) results.push(await simulate(scenario, { seed, policy }));
  }
  const [ours, without] = league(scenario, results);
  assert.ok(ours !== undefined && without !== undefined);
  assert.ok(ours.upstreamCopies.median < 1.01 && ours.upstreamCopies.high < 1.01);
  assert.ok(without.upstreamCopies.low > 5);
  assert.equal(without.regret, undefined);
  // The first pull finds nobody; the others win seconds.
  assert.ok(ours.regret !== undefined && ours.regret.slowerShare <= 0.2 && ours.regret.worstUs < 300_000);
  assert.ok(ours.wastedShare < 0.01, `${ours.wastedShare}`);
  assert.ok(ours.zoneCrossingShare > 0.3 && ours.zoneCrossingShare < 0.5, `${ours.zoneCrossingShare}`);
  assert.equal(ours.failed + without.failed, 0);
  assert.ok(ours.longestGapUs < 500_000);
  assert.match(formatLeague([ours, without]), /^policy +makespan .*\npeili +\S+ s .*\nnoMirror/);
});

test('statistics: medians, quantiles that the sample carries, the same band each time', () => {
  assert.equal(median([3, 1, 2, 10]), 2.5);
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  assert.equal(quantile(hundred, 0.9), 90);
  assert.equal(quantile(hundred, 0.99), undefined);
  assert.equal(quantile(hundred.concat(hundred, hundred), 0.99), 99);
  assert.deepEqual(estimate(hundred), estimate(hundred));
  const { high, low } = estimate(hundred);
  assert.ok(low > 35 && low < 50 && high > 51 && high < 66, `${low} ${high}`);
});
