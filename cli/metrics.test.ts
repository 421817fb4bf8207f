import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullStep } from '../core/index.ts';
import { relayedSteps, tellPull } from './event-fixture.ts';
import { createMetrics } from './metrics.ts';

function fresh() {
  return createMetrics(
    { wallUs: () => 1_700_000_000_500_000 },
    { uploadsMax: 256, version: '1.2.3', registriesMax: 2 },
  );
}

/** The samples with a value, without buckets. */
async function samples(metrics: ReturnType<typeof fresh>): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => !/^#|_bucket|^$| 0$/.test(line));
}

const local: readonly PullStep[] = [
  { type: 'head', source: 'local', status: 200, sizeBytes: 7, tookUs: 0 },
  { type: 'bytes', source: 'local', from: 0, to: 7 },
  { type: 'end', reason: 'complete', status: 200, bytes: 7, tookUs: 1000 },
];
const missed: readonly PullStep[] = [
  { type: 'lookup', sources: 0, tookUs: 1000, outcome: 'nobody' },
  { type: 'end', reason: 'not-found', status: 404, bytes: 0, tookUs: 2000 },
];

test('metrics: golden text of a relayed pull, a local one, an upload, a miss and a node', async () => {
  const metrics = fresh();
  const { observer } = metrics;
  tellPull(observer, 1, {}, relayedSteps);
  tellPull(observer, 2, { resource: 'manifest' }, local);
  tellPull(observer, 3, { mirrored: true }, local);
  tellPull(observer, 4, {}, missed);
  tellPull(observer, 5, { mirrored: true }, [{ type: 'suspect', source: 'peer-a', proof: 'wrong' }]);
  observer.onNode({ type: 'advertised', keys: 5, digests: 4, tags: 1 });
  observer.onNode({ type: 'withdrawn', keys: 2 });
  observer.onNode({ type: 'records', keys: 9, senders: 3, warming: true });
  observer.onNode({ type: 'members', total: 30, connected: 12 });
  observer.onNode({ type: 'ready', ready: true, reason: '' });
  observer.onNode({ type: 'store-failed', reason: 'EIO' });
  assert.deepEqual(await samples(metrics), [
    'spegel_mirror_requests_total{registry="docker.io",cache="hit"} 1',
    'spegel_mirror_requests_total{registry="docker.io",cache="miss"} 1',
    'spegel_mirror_last_success_timestamp_seconds 1700000000.5',
    'spegel_resolve_duration_seconds_sum{router="libp2p"} 0.004',
    'spegel_resolve_duration_seconds_count{router="libp2p"} 2',
    'spegel_advertised_image_tags{registry="all"} 1',
    'spegel_advertised_content_digests{registry="all"} 4',
    'peili_pulls_total{resource="blob",asker="client",end="complete"} 1',
    'peili_pulls_total{resource="manifest",asker="client",end="complete"} 1',
    'peili_pulls_total{resource="blob",asker="mirror",end="complete"} 1',
    'peili_pulls_total{resource="blob",asker="client",end="not-found"} 1',
    'peili_pull_duration_seconds_sum{resource="blob",asker="client"} 2.102',
    'peili_pull_duration_seconds_count{resource="blob",asker="client"} 2',
    'peili_pull_duration_seconds_sum{resource="manifest",asker="client"} 0.001',
    'peili_pull_duration_seconds_count{resource="manifest",asker="client"} 1',
    'peili_pull_duration_seconds_sum{resource="blob",asker="mirror"} 0.001',
    'peili_pull_duration_seconds_count{resource="blob",asker="mirror"} 1',
    'peili_pulls_in_flight{asker="mirror"} 1',
    'peili_bytes_total{source="peer",asker="client"} 100',
    'peili_bytes_total{source="local",asker="client"} 7',
    'peili_bytes_total{source="local",asker="mirror"} 7',
    'peili_uploads_in_flight 1',
    'peili_upload_slots 256',
    'peili_lookups_total{outcome="found"} 1',
    'peili_lookups_total{outcome="nobody"} 1',
    'peili_attempts_total{outcome="answered"} 2',
    'peili_attempts_total{outcome="PEER_STALLED"} 1',
    'peili_hedges_total 1',
    'peili_stalls_total 1',
    'peili_switches_total 1',
    'peili_resumes_total 1',
    'peili_suspicions_total{proof="wrong"} 1',
    'peili_advertised_keys 5',
    'peili_withdrawn_keys_total 2',
    'peili_records 9',
    'peili_record_senders 3',
    'peili_warming 1',
    'peili_members 30',
    'peili_members_connected 12',
    'peili_ready 1',
    'peili_store_failures_total 1',
    'peili_mode{mode="on"} 1',
    'peili_build_info{version="1.2.3"} 1',
  ]);
});

test('metrics: registries beyond the bound are one label, and so are foreign errors', async () => {
  const metrics = fresh();
  for (let at = 0; at < 50; at += 1) {
    tellPull(metrics.observer, at, { registry: `r${at}.example` }, [
      { type: 'attempt-failed', source: `peer-${at}`, reason: `read ${at}`, tookUs: 1 },
      ...missed,
    ]);
  }
  const lines = await samples(metrics);
  assert.deepEqual(
    lines.filter((line) => line.startsWith('spegel_mirror_requests')),
    [
      'spegel_mirror_requests_total{registry="r0.example",cache="miss"} 1',
      'spegel_mirror_requests_total{registry="r1.example",cache="miss"} 1',
      'spegel_mirror_requests_total{registry="other",cache="miss"} 48',
    ],
  );
  assert.ok(lines.includes('peili_attempts_total{outcome="other"} 50'));
});

test('metrics: no peer, no repository, no digest and no tag is in the text', async () => {
  const metrics = fresh();
  tellPull(metrics.observer, 1, {}, [{ type: 'liar', source: 'peer-a', digest: 'sha256:ab' }, ...relayedSteps]);
  metrics.observer.onNode({ type: 'advertise-failed', member: 'peer-c', reason: 'x' });
  assert.doesNotMatch(await metrics.text(), /peer-|library|sha256/);
});

test('metrics: a client that hangs up after its answer began is a hit; a cut or a mismatch is a miss', async () => {
  const metrics = fresh();
  const [lookup] = relayedSteps;
  assert.ok(lookup);
  for (const reason of ['hangup', 'cut', 'mismatch'] as const) {
    tellPull(metrics.observer, 1, {}, [lookup, { type: 'end', reason, status: 200, bytes: 1, tookUs: 1 }]);
  }
  tellPull(metrics.observer, 1, {}, [lookup, { type: 'end', reason: 'hangup', status: 499, bytes: 0, tookUs: 1 }]);
  const lines = await samples(metrics);
  assert.ok(lines.includes('spegel_mirror_requests_total{registry="docker.io",cache="hit"} 1'));
  assert.ok(lines.includes('spegel_mirror_requests_total{registry="docker.io",cache="miss"} 3'));
});

test('metrics: before the first canary nothing is said of it, and then what the last one was', async () => {
  const metrics = fresh();
  const canary = async (): Promise<string[]> =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith('peili_canar'));
  assert.deepEqual(await canary(), []);
  metrics.observer.onNode({ type: 'canary', arrived: true, outcome: 'arrived', reason: '', tookUs: 1 });
  assert.ok((await canary()).includes('peili_canary_arrived 1'));
  metrics.observer.onNode({ type: 'canary', arrived: false, outcome: 'elsewhere', reason: '', tookUs: 1 });
  const lines = await canary();
  assert.deepEqual(
    lines.filter((line) => !line.includes('timestamp')),
    [
      'peili_canaries_total{outcome="arrived"} 1',
      'peili_canaries_total{outcome="elsewhere"} 1',
      'peili_canary_arrived 0',
    ],
  );
  assert.match(lines.join('\n'), /peili_canary_timestamp_seconds \d/);
});
