import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../run/simulate.ts';
import type { SimEvent } from '../run/trace.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { UpstreamSpec } from './upstream-spec.ts';

const megabyte = 1_000_000;
const image = 'docker.io/library/app:1';
const rttUs = 20_000;

interface Pulled {
  readonly outcomes: readonly string[];
  readonly seconds: readonly number[];
  /** Host, method, kind of resource and status of each exchange with the registry, in order. */
  readonly asked: readonly string[];
}

/** Nodes pull one image of one layer without a mirror, one after the other. */
async function pull(
  upstream: Partial<UpstreamSpec>,
  starts: readonly number[] = [0],
  layer = megabyte,
): Promise<Pulled> {
  const scenario: Scenario = {
    name: 'upstream',
    shows: 'what a registry does',
    cluster: {
      nodes: starts.length,
      zones: 1,
      upBytesPerSecond: 1_000 * megabyte,
      downBytesPerSecond: 1_000 * megabyte,
      latencyUs: 200,
      zoneLatencyUs: 200,
      mirrorBytesPerSecond: 2_000 * megabyte,
    },
    upstream: { bytesPerSecond: 100 * megabyte, latencyUs: rttUs / 2, ...upstream },
    images: [{ name: image, layerBytes: [layer] }],
    workload: starts.map((atUs, node) => ({ atUs, node, image })),
    faults: [],
    untilUs: 3_600_000_000,
  };
  const asked: string[] = [];
  const names = new Map<number, string>();
  const onEvent = (event: SimEvent): void => {
    if (event.type === 'request') {
      const { method, target } = event.request;
      const [, kind = target.slice(0, 9)] = /\/(manifests|blobs)\//.exec(target) ?? [];
      names.set(event.exchange, `${event.to.host.name} ${method} ${kind}`);
    } else if (event.type === 'head') {
      asked.push(`${names.get(event.exchange)} ${event.status}`);
    }
  };
  const { pulls } = await simulate(scenario, {
    policy: 'noMirror',
    drain: 'tick',
    onWorld: ({ trace }) => {
      trace.watch(onEvent);
    },
  });
  const outcomes = pulls.map(({ outcome }) => outcome);
  return { outcomes, seconds: pulls.map(({ tookUs }) => (tookUs ?? Infinity) / 1e6), asked };
}

test('upstream: its own host gives all where nothing else is said', async () => {
  const { asked, outcomes } = await pull({});
  assert.deepEqual(outcomes, ['ok']);
  assert.deepEqual(asked, [
    'upstream HEAD manifests 200',
    'upstream GET manifests 200',
    'upstream GET blobs 200',
    'upstream GET blobs 200',
  ]);
});

test('upstream: a token is fetched once for a repository and again when it has expired; blobs come from where redirects lead', async () => {
  const storage = { bytesPerSecond: 100 * megabyte, latencyUs: 1_000 };
  const { asked, outcomes } = await pull({ token: { lifetimeUs: 60_000_000 }, storage });
  assert.deepEqual(outcomes, ['ok']);
  assert.deepEqual(asked.slice(0, 4), [
    'upstream HEAD manifests 401',
    'upstream-tokens GET /token?sc 200',
    'upstream HEAD manifests 200',
    'upstream GET manifests 200',
  ]);
  assert.deepEqual(new Set(asked.slice(4)), new Set(['upstream GET blobs 307', 'upstream-storage GET https://s 200']));
  const expired = await pull({ token: { lifetimeUs: 3 * rttUs } });
  assert.equal(expired.asked.filter((line) => line.includes('tokens')).length > 1, true);
});

test('upstream: GETs of manifests are counted over the window, HEADs are not; beyond the limit: 429 and when to come again', async () => {
  const manifestLimit = { gets: 2, windowUs: 100_000_000 };
  const starts = [0, 10_000_000, 20_000_000, 150_000_000];
  const { asked, outcomes } = await pull({ manifestLimit }, starts);
  assert.equal(asked.filter((line) => line === 'upstream HEAD manifests 200').length >= 4, true);
  assert.deepEqual(asked.filter((line) => line === 'upstream GET manifests 200').length, 3);
  assert.ok(asked.includes('upstream GET manifests 429'));
  assert.deepEqual([outcomes[0], outcomes[1], outcomes[3]], ['ok', 'ok', 'ok']);
  const perNode = await pull({ manifestLimit: { ...manifestLimit, per: 'node' } }, starts);
  assert.deepEqual(new Set(perNode.outcomes), new Set(['ok']));
});

test('upstream: an outage refuses, or swallows what comes, and ends', async () => {
  for (const kind of ['refuse', 'black-hole'] as const) {
    const outages = [{ fromUs: 5_000_000, untilUs: 15_000_000, kind }];
    const { asked } = await pull({ outages }, [0, 10_000_000, 20_000_000]);
    assert.equal(asked.filter((line) => line === 'upstream HEAD manifests 200').length >= 2, true);
    const { outcomes } = await pull({ outages }, [0, 40_000_000]);
    assert.deepEqual(outcomes, ['ok', 'ok']);
  }
});

test('upstream: an absent image is 404', async () => {
  const { asked } = await pull({ absent: [image] });
  assert.equal(asked[0], 'upstream HEAD manifests 404');
});

test('upstream: a stream is no faster than its cap, many are, and TLS costs each connection a round trip', async () => {
  const capped = { bytesPerSecond: 1_000 * megabyte, flowBytesPerSecond: 10 * megabyte };
  const { seconds } = await pull(capped, [0, 0, 0, 0], 20 * megabyte);
  for (const took of seconds) assert.ok(took > 2 && took < 2.4, `${took} s`);
  const [plain, tls] = [await pull({}), await pull({ tls: true })];
  const more = (tls.seconds[0] ?? 0) - (plain.seconds[0] ?? 0);
  assert.ok(more > 0.019 && more < 0.042, `one for each connection that all wait for: ${more} s`);
});
