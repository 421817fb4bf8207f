import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../run/simulate.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { league } from './league.ts';
import { formatLeague } from './league-table.ts';
import { runLeague } from './run-league.ts';
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
  for (const [pulls, says] of [
    [2_000, '0 (< 0.2 %)'],
    [300, '0 (< 1 %)'],
    [36, '0 (< 9 %)'],
  ] as const)
    assert.ok(formatLeague([{ ...ours, pulls }]).includes(says), `of ${pulls}: ${says}, never less`);
  assert.match(formatLeague([ours, without]), /^policy +peili +noMirror\nmakespan +\S+ s +\S+ s\n/);
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

test('league: runs until its bands are narrow, or the seeds are out, or it is stopped; all policies on the same seeds', async () => {
  const policies = ['peili', 'noMirror'] as const;
  const narrow = await runLeague(scenario, { policies, seedsMin: 3, seedsMax: 8, simulate: { drain: 'tick' } });
  assert.equal(narrow.end, 'narrow');
  assert.deepEqual(
    narrow.results.map(({ policy, seed }) => `${policy} ${seed}`),
    [1, 2, 3].flatMap((seed) => policies.map((policy) => `${policy} ${seed}`)),
  );
  const state = { seeds: 0 };
  const goesOn = (): boolean => {
    state.seeds += 1;
    return state.seeds <= 2;
  };
  const stopped = await runLeague(scenario, { policies, bandWidth: -1, goesOn, simulate: { drain: 'tick' } });
  assert.deepEqual([stopped.end, stopped.results.length], ['stopped', 4]);
  const out = await runLeague(scenario, {
    policies,
    bandWidth: -1,
    seedsMax: 2,
    firstSeed: 5,
    simulate: { drain: 'tick' },
  });
  assert.deepEqual([out.end, out.results.map(({ seed }) => seed)], ['seeds', [5, 5, 6, 6]]);
  const [ours] = narrow.rows;
  assert.equal(ours?.against?.policy, 'noMirror');
  assert.ok(ours.against.makespan.high < 1, 'the second wave comes from peers');
});

test('league: bytes are told apart by where they came from, and add up', async () => {
  // Node 3, in the other zone, pulls nothing.
  const workload = scenario.workload.filter(({ node }) => node !== 3);
  const { traffic, upstreamBytes } = await simulate({ ...scenario, workload }, { drain: 'tick' });
  assert.equal(traffic.receivedBytes, traffic.upstreamBytes + traffic.sameZoneBytes + traffic.zoneCrossingBytes);
  assert.equal(upstreamBytes, traffic.upstreamBytes);
  for (const [bytes, copies] of [
    [traffic.sameZoneBytes, 2],
    [traffic.zoneCrossingBytes, 1],
  ] as const)
    assert.ok(bytes > 20 * copies * megabyte && bytes < 20.2 * copies * megabyte, `${copies}: ${bytes}`);
  // Windows that overlap.
  assert.ok(traffic.wastedBytes < megabyte, `${traffic.wastedBytes}`);
  assert.equal(traffic.upstreamManifestGets, 1);
  // Four nodes ask for a tag, a manifest, a config and a layer each; the first one in vain, and nobody had any of it.
  const { asked } = traffic;
  assert.deepEqual([asked.requests, asked.misses, asked.missedThoughHeld], [16, 4, 0]);
  assert.ok(asked.longestAddedWaitUs < 25_000 && asked.addedWaitUs < 100_000, `${asked.addedWaitUs} us`);
});

test('league: what others had and a mirror did not find is told: v0.7 among a dead holder and a live one', async () => {
  const [first, second] = [0, 1].map((node) => ({ atUs: 1_000_000 + 9_000_000 * node, node, image: image.name }));
  assert.ok(first !== undefined && second !== undefined);
  const dead: Scenario = {
    ...scenario,
    workload: [first, { ...second, atUs: 12_000_000 }],
    faults: [{ atUs: 11_000_000, target: 0, what: { kind: 'crash' } }],
  };
  const { traffic } = await simulate(dead, { policy: 'spegelLike-0.7', drain: 'tick' });
  // Manifest, config and layer: who has what a tag means is not known by its bytes.
  assert.equal(traffic.asked.missedThoughHeld, 3);
  assert.ok(traffic.upstreamBytes > 39 * megabyte);
});
