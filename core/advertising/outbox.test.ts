import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../limits.ts';
import { createPositionTable } from '../routing/position-table.ts';
import { positionOf, routingKeyOf } from '../routing/routing-key.ts';
import { createMemoryCluster, memberOf } from '../testing/memory-cluster.ts';
import { startRoutingCluster } from '../testing/routing-cluster.ts';
import { findFrom, startRoutingNode } from '../testing/routing-node.ts';
import { createSha256Digester } from '../testing/sha256-digester.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';

const digester = createSha256Digester();
const second = 1_000_000;
const digestOf = (index: number): string => `sha256:${index.toString(16).padStart(64, '0')}`;

test('advertising: everything is said again within the interval, and lives on', async () => {
  const { clock, cluster, node, finish } = await startRoutingCluster(4);
  node(1).store.addContent(digestOf(1));
  await clock.advance(second);
  const before = cluster.calls.length;
  await clock.advance(defaultLimits.advertiseIntervalUs);
  const again = cluster.calls.slice(before).filter(({ batch }) => batch?.complete);
  assert.equal(again.length >= 2 && again.length <= 6, true, `${again.length}`);
  await clock.advance(2 * defaultLimits.recordTtlUs);
  assert.equal((await findFrom(clock, node(0), digestOf(1))).outcome, 'found');
  await finish();
});

test('advertising: a node that died is forgotten after the TTL', async () => {
  const { clock, cluster, node, finish } = await startRoutingCluster(6);
  node(1).store.addContent(digestOf(1));
  await clock.advance(second);
  cluster.kill('node-1');
  node(1).dispose();
  assert.equal((await findFrom(clock, node(0), digestOf(1))).outcome, 'found', 'a record is a hint');
  await clock.advance(defaultLimits.recordTtlUs);
  assert.notEqual((await findFrom(clock, node(0), digestOf(1))).outcome, 'found');
  await finish();
});

test('advertising: a new member is told at once what it is nearest for, only that, and those before it keep theirs', async () => {
  const { clock, cluster, nodes, node, finish } = await startRoutingCluster(8);
  for (let index = 0; index < 30; index += 1) node(1).store.addContent(digestOf(index));
  await clock.advance(second);
  const before = cluster.calls.length;
  nodes.push(startRoutingNode(clock, cluster.add('new')));
  await clock.advance(100_000);
  const calls = cluster.calls.slice(before);
  const told = calls.filter(({ to }) => to === 'new');
  assert.equal(told.length, 8, 'everybody has told it something');
  assert.equal(
    told.every(({ batch }) => batch?.complete),
    true,
  );
  const keys = told.flatMap(({ batch }) => batch!.add);
  assert.equal(keys.length > 0 && keys.length < 30, true);
  assert.equal(calls.flatMap(({ batch }) => batch!.withdraw).length, 0);
  assert.equal(nodes[8]?.router.state().keys, keys.length);
  await finish();
});

test('advertising: a restarted member is told again at once', async () => {
  const { clock, cluster, nodes, node, finish } = await startRoutingCluster(6);
  for (let index = 0; index < 30; index += 1) node(1).store.addContent(digestOf(index));
  await clock.advance(second);
  const keys = node(2).router.state().keys;
  node(2).dispose();
  nodes[2] = startRoutingNode(clock, cluster.restart('node-2'));
  assert.equal(node(2).router.state().keys, 0);
  await clock.advance(100_000);
  assert.equal(node(2).router.state().keys, keys);
  await finish();
});

test('advertising: a member that restarts while it is being told is told everything at once', async () => {
  const { clock, cluster, nodes, node, finish } = await startRoutingCluster(4);
  cluster.rule(({ to }) => (to === 'node-2' ? { is: 'lost' } : {}));
  for (let index = 0; index < 10; index += 1) node(1).store.addContent(digestOf(index));
  await clock.advance(second);
  node(2).dispose();
  cluster.rule(undefined);
  nodes[2] = startRoutingNode(clock, cluster.restart('node-2'));
  await clock.advance(defaultLimits.recordsSendTimeoutUs);
  assert.equal(node(2).router.state().keys > 0, true);
  await finish();
});

test('advertising: what could not be said is said later with a growing pause, and the next nearest stands in', async () => {
  const { clock, cluster, nodes, node, finish } = await startRoutingCluster(8);
  cluster.rule(({ to }) => (to === 'node-2' ? { is: 'refused' } : {}));
  const before = cluster.calls.length;
  for (let index = 0; index < 30; index += 1) node(1).store.addContent(digestOf(index));
  await clock.advance(second);
  assert.equal(node(1).advertiser.state().membersFailing, 1);
  const standing = createPositionTable<string>();
  for (const { id } of nodes) if (id !== 'node-2') standing.add(id, memberOf(id).position);
  const keepers = Array.from({ length: 30 }, (_, index) => {
    const key = routingKeyOf(digester, digestOf(index));
    return standing.nearest(positionOf(digester, key), 3).filter((id) => id !== 'node-1').length;
  });
  const kept = nodes.filter((each) => each !== node(1)).map(({ router }) => router.state().records);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  assert.equal(sum(kept), sum(keepers));
  for (let index = 0; index < 30; index += 1) {
    const { ids } = await findFrom(clock, node(4), digestOf(index));
    assert.deepEqual(ids, ['node-1']);
  }
  await clock.advance(60 * second);
  const tries = cluster.calls.slice(before).filter(({ from, to }) => from === 'node-1' && to === 'node-2');
  assert.equal(tries.length >= 4 && tries.length <= 7, true, `${tries.length} tries in a minute`);
  cluster.rule(undefined);
  await clock.advance(defaultLimits.reconcileIntervalUs);
  assert.equal(node(1).advertiser.state().membersFailing, 0);
  assert.equal(node(2).router.state().keys > 0, true);
  await finish();
});

test('advertising: members that never answer keep no place from the others', async () => {
  const { clock, cluster, node, finish } = await startRoutingCluster(30, { limits: { sendsAtOnceMax: 4 } });
  const dead = new Set(Array.from({ length: 12 }, (_, index) => `node-${index}`));
  cluster.rule(({ to }) => (dead.has(to) ? { is: 'lost' } : {}));
  for (let index = 0; index < 60; index += 1) node(20).store.addContent(digestOf(index));
  await clock.advance(60 * second);
  for (let index = 100; index < 110; index += 1) {
    node(20).store.addContent(digestOf(index));
    await clock.advance(100_000);
    assert.deepEqual((await findFrom(clock, node(25), digestOf(index))).ids, ['node-20']);
    await clock.advance(second);
  }
  await finish();
});

test('advertising: no more batches are under way at once than allowed', async () => {
  const clock = createVirtualClock();
  const cluster = createMemoryCluster(clock);
  for (let index = 0; index < 30; index += 1) {
    const ports = cluster.add(`node-${index}`);
    ports.records.serve({ onBatch: () => undefined, onLookup: () => ({ holders: [], warming: false, closer: [] }) });
  }
  const node = startRoutingNode(clock, cluster.add('speaker'), { limits: { sendsAtOnceMax: 4 } });
  let most = 0;
  for (let step = 0; step < 100; step += 1) {
    await clock.advance(100);
    most = Math.max(most, cluster.pending());
  }
  assert.equal(most, 4);
  assert.equal(node.advertiser.state().membersTold, 30);
  node.dispose();
});

test('advertising: a tag that moves is moved at every member that was told of it, those included that are no longer near', async () => {
  const { clock, cluster, nodes, node, finish } = await startRoutingCluster(3);
  const reference = 'docker.io/library/busybox:1';
  for (const index of [1, 2]) node(1).store.addContent(digestOf(index));
  node(1).store.setTag({ reference, digest: digestOf(1), resolvedAtUs: clock.wallUs() });
  await clock.advance(second);
  for (let index = 0; index < 20; index += 1) nodes.push(startRoutingNode(clock, cluster.add(`late-${index}`)));
  await clock.advance(second);
  node(1).store.setTag({ reference, digest: digestOf(2), resolvedAtUs: clock.wallUs() });
  await clock.advance(100_000);
  const asker = cluster.add('asker');
  const digests = new Set<string | undefined>();
  for (const { id } of nodes) {
    const { signal } = new AbortController();
    const asked = asker.records.lookup(cluster.member(id), routingKeyOf(digester, reference), signal);
    for (const { tag } of (await clock.settle(asked)).holders) digests.add(tag?.digest);
  }
  assert.deepEqual([...digests], [digestOf(2)]);
  await finish();
});

test('advertising: in a mixed cluster each key is kept at the nearest of both kinds', async () => {
  const { clock, cluster, nodes, node, finish } = await startRoutingCluster(5);
  const spegel = startRoutingNode(clock, cluster.add('spegel', { kind: 'spegel' }));
  nodes.push(spegel);
  node(1).store.addContent(digestOf(1));
  await clock.advance(second);
  assert.equal(spegel.router.state().keys, 1);
  await finish();
});

test('advertising: a member with room for a part only is there, and is not told the rest again and again', async () => {
  const { clock, cluster, node, finish } = await startRoutingCluster(3, { limits: { recordsPerSenderMax: 2 } });
  const before = cluster.calls.length;
  for (let index = 0; index < 5; index += 1) node(1).store.addContent(digestOf(index));
  await clock.advance(60 * second);
  assert.equal(node(1).advertiser.state().membersFailing, 0);
  assert.deepEqual(
    cluster.calls.slice(before).map(({ from, to }) => `${from}>${to}`),
    ['node-1>node-0', 'node-1>node-2'],
  );
  assert.deepEqual([node(0).router.state().records, node(2).router.state().records], [2, 2]);
  assert.equal(node(1).events.filter(({ type }) => type === 'advertise-failed').length, 2, 'it is told of');
  await finish();
});
