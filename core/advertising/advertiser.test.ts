import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPositionTable } from '../routing/position-table.ts';
import { positionOf, routingKeyOf } from '../routing/routing-key.ts';
import { createSha256Digester } from '../testing/sha256-digester.ts';
import { defaultLimits } from '../limits.ts';
import type { RecordBatch } from '../ports/index.ts';
import { createListedStore } from '../testing/listed-store.ts';
import type { MemoryCluster } from '../testing/memory-cluster.ts';
import { createMemoryCluster, memberOf } from '../testing/memory-cluster.ts';
import { findFrom, startRoutingNode } from '../testing/routing-node.ts';
import type { RoutingNode, RoutingNodeOptions } from '../testing/routing-node.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import type { VirtualClock } from '../testing/virtual-clock.ts';

const digester = createSha256Digester();
const second = 1_000_000;
const digestOf = (index: number): string => `sha256:${index.toString(16).padStart(64, '0')}`;

interface Cluster {
  readonly clock: VirtualClock;
  readonly cluster: MemoryCluster;
  readonly nodes: RoutingNode[];
  readonly node: (index: number) => RoutingNode;
  readonly finish: () => Promise<void>;
}

/** `size` nodes that have told each other everything. */
async function clusterOf(size: number, options: RoutingNodeOptions = {}): Promise<Cluster> {
  const clock = createVirtualClock();
  const cluster = createMemoryCluster(clock);
  const nodes = Array.from({ length: size }, (_, index) =>
    startRoutingNode(clock, cluster.add(`node-${index}`), options),
  );
  await clock.advance(second);
  const node = (index: number): RoutingNode => nodes[index]!;
  const finish = async (): Promise<void> => {
    for (const each of nodes) each.dispose();
    await clock.advance(0);
    assert.equal(clock.pending(), 0, 'timers');
    assert.equal(cluster.pending(), 0, 'calls');
    for (const { store } of nodes) assert.equal(store.watchers, 0);
  };
  return { clock, cluster, nodes, node, finish };
}

const sends = (cluster: MemoryCluster, since = 0): readonly RecordBatch[] =>
  cluster.calls.slice(since).flatMap(({ batch }) => batch ?? []);

test('advertising: new content is found from any other node within 0.1 s of its arrival', async () => {
  const { clock, nodes, node, finish } = await clusterOf(12);
  node(3).store.addContent(digestOf(1));
  await clock.advance(100_000);
  for (const other of nodes) {
    const found = await findFrom(clock, other, digestOf(1));
    assert.equal(found.outcome, other === node(3) ? 'nobody' : 'found', other.id);
    assert.deepEqual(found.ids, other === node(3) ? [] : ['node-3']);
  }
  await finish();
});

test('advertising: what was there before the start is found as well', async () => {
  const store = createListedStore();
  store.addContent(digestOf(1));
  const { clock, cluster, nodes, finish } = await clusterOf(5);
  nodes.push(startRoutingNode(clock, cluster.add('late'), { store }));
  await clock.advance(100_000);
  assert.deepEqual((await findFrom(clock, nodes[0]!, digestOf(1))).ids, ['late']);
  await finish();
});

test('advertising: what is gone is withdrawn within 0.1 s', async () => {
  const { clock, nodes, node, finish } = await clusterOf(8);
  node(3).store.addContent(digestOf(1));
  await clock.advance(second);
  node(3).store.removeContent(digestOf(1));
  await clock.advance(100_000);
  for (const other of nodes) assert.equal((await findFrom(clock, other, digestOf(1))).outcome, 'nobody');
  assert.equal(
    node(3).events.some(({ type }) => type === 'withdrawn'),
    true,
  );
  await finish();
});

test('advertising: an image travels in one batch per member that keeps any of it', async () => {
  const { clock, cluster, node, finish } = await clusterOf(12);
  const before = cluster.calls.length;
  for (let index = 0; index < 40; index += 1) {
    node(3).store.addContent(digestOf(index));
    await clock.advance(200);
  }
  await clock.advance(second);
  const told = cluster.calls.slice(before).map(({ to }) => to);
  assert.equal(told.length, new Set(told).size);
  const keys = sends(cluster, before).reduce((sum, { add }) => sum + add.length, 0);
  assert.equal(
    keys <= 3 * 40 && keys >= 2 * 40,
    true,
    `${keys} records: each key at its nearest three, this node left out`,
  );
  await finish();
});

test('advertising: a batch that would be too long goes in parts, the first alone complete', async () => {
  const store = createListedStore();
  for (let index = 0; index < 100; index += 1) store.addContent(digestOf(index));
  const { clock, cluster, nodes, finish } = await clusterOf(1);
  nodes.push(startRoutingNode(clock, cluster.add('late'), { store, limits: { recordsMessageMaxBytes: 2_000 } }));
  await clock.advance(second);
  const parts = sends(cluster).filter(({ add }) => add.length > 0);
  assert.equal(parts.length, 5);
  assert.deepEqual(
    parts.map(({ complete }) => complete),
    [true, false, false, false, false],
  );
  assert.equal(nodes[0]?.router.state().keys, 100);
  await finish();
});

test('advertising: only what may be said is said; content is with one allowed name, a tag with its content', async () => {
  const { clock, node, finish } = await clusterOf(5, {
    allowsContent: ({ names }) => names.some((name) => name.startsWith('open/')),
    allowsTag: (reference) => reference.startsWith('open/'),
  });
  const { store } = node(1);
  const open = async (key: string): Promise<string> => (await findFrom(clock, node(2), key)).outcome;
  store.addContent(digestOf(1), ['secret/a', 'open/a']);
  store.addContent(digestOf(2), ['secret/a']);
  store.setTag({ reference: 'secret/a:1', digest: digestOf(1), resolvedAtUs: clock.wallUs() });
  store.setTag({ reference: 'open/a:1', digest: digestOf(1), resolvedAtUs: clock.wallUs() });
  store.setTag({ reference: 'open/b:1', digest: digestOf(3), resolvedAtUs: clock.wallUs() });
  await clock.advance(second);
  const keys = [digestOf(1), digestOf(2), 'secret/a:1', 'open/a:1', 'open/b:1'];
  assert.deepEqual(await Promise.all(keys.map(open)), ['found', 'nobody', 'nobody', 'found', 'nobody']);
  store.removeContent(digestOf(1));
  store.addContent(digestOf(3), ['open/b']);
  await clock.advance(second);
  assert.deepEqual(await Promise.all(['open/a:1', 'open/b:1'].map(open)), ['nobody', 'found']);
  await finish();
});

test('advertising: a tag carries its digest and for how long it has meant it', async () => {
  const { clock, node, finish } = await clusterOf(5);
  const reference = 'docker.io/library/busybox:1';
  const set = (digest: string): void => node(1).store.setTag({ reference, digest, resolvedAtUs: clock.wallUs() });
  for (const index of [1, 2]) node(1).store.addContent(digestOf(index));
  set(digestOf(1));
  await clock.advance(10 * second);
  const [first] = (await findFrom(clock, node(2), reference)).holders;
  assert.equal(first?.tag?.digest, digestOf(1));
  assert.equal(Math.abs(first.tag.ageUs - 10 * second) < 10_000, true);
  set(digestOf(2));
  await clock.advance(second);
  const [moved] = (await findFrom(clock, node(2), reference)).holders;
  assert.equal(moved?.tag?.digest, digestOf(2));
  assert.equal(moved.tag.ageUs < 2 * second, true);
  await finish();
});

test('advertising: changes that the store did not tell are seen when it says "gap", and at the next reconcile', async () => {
  for (const isTold of [true, false]) {
    const { clock, node, finish } = await clusterOf(5);
    const { store } = node(1);
    store.addContent(digestOf(1));
    await clock.advance(second);
    store.mute(true);
    store.removeContent(digestOf(1));
    store.addContent(digestOf(2));
    if (isTold) store.gap();
    await clock.advance(isTold ? 100_000 : defaultLimits.reconcileIntervalUs + second);
    assert.equal((await findFrom(clock, node(2), digestOf(1))).outcome, 'nobody');
    assert.equal((await findFrom(clock, node(2), digestOf(2))).outcome, 'found');
    await finish();
  }
});

test('advertising: a store that cannot be listed is tried again; until then nothing is said, so nothing is made void', async () => {
  const { clock, cluster, nodes, finish } = await clusterOf(3);
  const store = createListedStore();
  store.addContent(digestOf(1));
  store.fail(true);
  nodes.push(startRoutingNode(clock, cluster.add('late'), { store }));
  await clock.advance(second);
  assert.equal(
    cluster.calls.some(({ from }) => from === 'late'),
    false,
  );
  store.fail(false);
  await clock.advance(2 * defaultLimits.advertiseRetryUs);
  assert.equal((await findFrom(clock, nodes[0]!, digestOf(1))).outcome, 'found');
  assert.equal(
    nodes[3]?.events.some(({ type }) => type === 'store-failed'),
    true,
  );
  await finish();
});

test('advertising: everything is said again within the interval, and lives on', async () => {
  const { clock, cluster, node, finish } = await clusterOf(4);
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
  const { clock, cluster, node, finish } = await clusterOf(6);
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
  const { clock, cluster, nodes, node, finish } = await clusterOf(8);
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
  const { clock, cluster, nodes, node, finish } = await clusterOf(6);
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
  const { clock, cluster, nodes, node, finish } = await clusterOf(4);
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
  const { clock, cluster, nodes, node, finish } = await clusterOf(8);
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
  const { clock, cluster, node, finish } = await clusterOf(30, { limits: { sendsAtOnceMax: 4 } });
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

test('advertising: content found wrong is withdrawn, and stays so until the store has got it anew', async () => {
  const { clock, node, finish } = await clusterOf(5);
  const { store, advertiser } = node(1);
  const look = async (): Promise<string> => {
    await clock.advance(100_000);
    return (await findFrom(clock, node(2), digestOf(1))).outcome;
  };
  store.addContent(digestOf(1));
  assert.equal(await look(), 'found');
  advertiser.withdrawContent(digestOf(1));
  assert.equal(await look(), 'nobody');
  store.addContent(digestOf(1));
  await clock.advance(2 * defaultLimits.reconcileIntervalUs);
  assert.equal(await look(), 'nobody', 'an event or a listing that shows it again proves nothing');
  store.removeContent(digestOf(1));
  store.addContent(digestOf(1));
  assert.equal(await look(), 'found');
  await finish();
});

test('advertising: a graceful stop withdraws everything at once; a plain end withdraws nothing', async () => {
  const { clock, node, finish } = await clusterOf(8);
  node(1).store.addContent(digestOf(1));
  node(2).store.addContent(digestOf(2));
  await clock.advance(second);
  await clock.settle(node(1).advertiser.withdrawAll(new AbortController().signal));
  node(2).advertiser.dispose();
  assert.equal((await findFrom(clock, node(0), digestOf(1))).outcome, 'nobody');
  assert.equal((await findFrom(clock, node(0), digestOf(2))).outcome, 'found');
  await finish();
});

test('advertising: a node answers for its own content itself, until it stops', async () => {
  const { clock, cluster, node, finish } = await clusterOf(4);
  const asker = cluster.add('asker');
  const ask = async (): Promise<string[]> => {
    const key = routingKeyOf(digester, digestOf(1));
    const answer = asker.records.lookup(cluster.member('node-1'), key, new AbortController().signal);
    return (await clock.settle(answer)).holders.map(({ member }) => member.id);
  };
  node(1).store.addContent(digestOf(1));
  await clock.advance(100_000);
  assert.deepEqual(await ask(), ['node-1']);
  await clock.settle(node(1).advertiser.withdrawAll(new AbortController().signal));
  assert.deepEqual(await ask(), []);
  await finish();
});

test('advertising: a tag that moves is moved at every member that was told of it, those included that are no longer near', async () => {
  const { clock, cluster, nodes, node, finish } = await clusterOf(3);
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

test('advertising: a gap while the store is being listed is not lost', async () => {
  const { clock, node, finish } = await clusterOf(4);
  const { store } = node(1);
  store.mute(true);
  store.gap();
  store.addContent(digestOf(1));
  store.gap();
  await clock.advance(100_000);
  assert.equal((await findFrom(clock, node(2), digestOf(1))).outcome, 'found');
  await finish();
});

test('advertising: a graceful stop ends with its signal', async () => {
  const { clock, cluster, node, finish } = await clusterOf(8);
  node(1).store.addContent(digestOf(1));
  await clock.advance(second);
  cluster.rule(() => ({ is: 'lost' }));
  const stop = new AbortController();
  const stopped = node(1).advertiser.withdrawAll(stop.signal);
  await clock.advance(1_000);
  stop.abort();
  await stopped;
  await finish();
});

test('advertising: in a mixed cluster each key is kept at the nearest of both kinds', async () => {
  const { clock, cluster, nodes, node, finish } = await clusterOf(5);
  const spegel = startRoutingNode(clock, cluster.add('spegel', { kind: 'spegel' }));
  nodes.push(spegel);
  node(1).store.addContent(digestOf(1));
  await clock.advance(second);
  assert.equal(spegel.router.state().keys, 1);
  await finish();
});
