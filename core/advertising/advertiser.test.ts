import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../limits.ts';
import type { RecordBatch } from '../ports/index.ts';
import { routingKeyOf } from '../routing/routing-key.ts';
import { createListedStore } from '../testing/listed-store.ts';
import type { MemoryCluster } from '../testing/memory-cluster.ts';
import { startRoutingCluster } from '../testing/routing-cluster.ts';
import { findFrom, startRoutingNode } from '../testing/routing-node.ts';
import { createSha256Digester } from '../testing/sha256-digester.ts';

const digester = createSha256Digester();
const second = 1_000_000;
const digestOf = (index: number): string => `sha256:${index.toString(16).padStart(64, '0')}`;

const sends = (cluster: MemoryCluster, since = 0): readonly RecordBatch[] =>
  cluster.calls.slice(since).flatMap(({ batch }) => batch ?? []);

test('advertising: new content is found from any other node within 0.1 s of its arrival', async () => {
  const { clock, nodes, node, finish } = await startRoutingCluster(12);
  node(3).store.addContent(digestOf(1));
  await clock.advance(100_000);
  for (const other of nodes) {
    const found = await findFrom(clock, other, digestOf(1));
    assert.equal(found.outcome, other === node(3) ? 'nobody' : 'found', other.id);
    assert.deepEqual(found.ids, other === node(3) ? [] : ['node-3']);
  }
  await finish();
});

test('advertising: whoever asks this node itself is answered from the change on, before anybody has been told', async () => {
  const { clock, cluster, node, finish } = await startRoutingCluster(3);
  const asker = cluster.add('asker', { isAlone: true });
  await clock.advance(second);
  const holders = async (): Promise<readonly string[]> => {
    const key = routingKeyOf(digester, digestOf(1));
    const asked = asker.records.lookup(cluster.member('node-2'), key, new AbortController().signal);
    await clock.advance(2_000);
    return (await asked).holders.map(({ member }) => member.id);
  };
  const before = sends(cluster).length;
  node(2).store.addContent(digestOf(1));
  assert.deepEqual(await holders(), ['node-2']);
  node(2).store.removeContent(digestOf(1));
  assert.deepEqual(await holders(), []);
  assert.equal(sends(cluster).length, before);
  await finish();
});

test('advertising: what was there before the start is found as well', async () => {
  const store = createListedStore();
  store.addContent(digestOf(1));
  const { clock, cluster, nodes, finish } = await startRoutingCluster(5);
  nodes.push(startRoutingNode(clock, cluster.add('late'), { store }));
  await clock.advance(100_000);
  assert.deepEqual((await findFrom(clock, nodes[0]!, digestOf(1))).ids, ['late']);
  await finish();
});

test('advertising: what is gone is withdrawn within 0.1 s', async () => {
  const { clock, nodes, node, finish } = await startRoutingCluster(8);
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

test('advertising: a node that is switched off takes everything back at once, and says it again when it is on', async () => {
  const now = { isOn: true };
  const store = createListedStore();
  store.addContent(digestOf(1));
  store.setTag({ reference: 'docker.io/library/app:1', digest: digestOf(1), resolvedAtUs: 0 });
  const { clock, cluster, nodes, finish } = await startRoutingCluster(5);
  const switched = startRoutingNode(clock, cluster.add('switched'), { store, advertises: () => now.isOn });
  nodes.push(switched);
  await clock.advance(second);
  const found = async (text: string): Promise<readonly string[]> => (await findFrom(clock, nodes[0]!, text)).ids;
  for (const isOn of [false, true, false]) {
    now.isOn = isOn;
    switched.advertiser.reconsider();
    store.addContent(digestOf(isOn ? 2 : 3));
    await clock.advance(100_000);
    const expected = isOn ? ['switched'] : [];
    for (const text of [digestOf(1), 'docker.io/library/app:1', digestOf(3)])
      assert.deepEqual(await found(text), expected, text);
  }
  assert.deepEqual(switched.advertiser.state().keys, 0);
  await finish();
});

test('advertising: an image travels in one batch per member that keeps any of it', async () => {
  const { clock, cluster, node, finish } = await startRoutingCluster(12);
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
  const { clock, cluster, nodes, finish } = await startRoutingCluster(1);
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
  const { clock, node, finish } = await startRoutingCluster(5, {
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
  const { clock, node, finish } = await startRoutingCluster(5);
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

test('advertising: a tag that was resolved longer ago than allowed is not said, is withdrawn when it comes to be, and comes back resolved anew', async () => {
  const tagMaxAgeUs = 30 * second;
  const { clock, cluster, nodes, node, finish } = await startRoutingCluster(5, { tagMaxAgeUs });
  const reference = 'docker.io/library/busybox:1';
  const asker = cluster.add('asker');
  const toldBy = async (id: string): Promise<number> => {
    const { signal } = new AbortController();
    const asked = asker.records.lookup(cluster.member(id), routingKeyOf(digester, reference), signal);
    await clock.advance(1_000);
    return (await asked).holders.length;
  };
  const said = async (): Promise<number> => {
    let holders = 0;
    for (const { id } of nodes) holders += await toldBy(id);
    return holders;
  };
  const set = (ageUs: number): void =>
    node(1).store.setTag({ reference, digest: digestOf(1), resolvedAtUs: clock.wallUs() - ageUs });
  node(1).store.addContent(digestOf(1));
  set(tagMaxAgeUs + 1);
  assert.equal(await toldBy('node-1'), 0, 'not for a moment');
  await clock.advance(second);
  assert.equal(await said(), 0, 'too old from the start');
  set(20 * second);
  await clock.advance(9 * second);
  assert.equal(await toldBy('node-1'), 1);
  assert.equal((await said()) >= 2, true, 'by itself and by those that keep it');
  assert.equal(node(1).advertiser.state().tags, 1);
  await clock.advance(1.2 * second);
  assert.equal(await said(), 0, 'withdrawn');
  assert.equal(node(1).advertiser.state().tags, 0);
  assert.equal((await findFrom(clock, node(2), digestOf(1))).outcome, 'found', 'its content stays');
  nodes.push(startRoutingNode(clock, cluster.add('late'), { tagMaxAgeUs }));
  await clock.advance(defaultLimits.advertiseIntervalUs);
  assert.equal(await said(), 0, 'when everything is said again');
  set(0);
  await clock.advance(second);
  assert.equal((await said()) >= 2, true, 'resolved anew');
  await finish();
});

test('advertising: a wall clock that jumps makes tags too old, or young again, by the next reconcile', async () => {
  const { clock, node, finish } = await startRoutingCluster(5, { tagMaxAgeUs: 600 * second });
  const reference = 'docker.io/library/busybox:1';
  const outcome = async (): Promise<string> => (await findFrom(clock, node(2), reference)).outcome;
  node(1).store.addContent(digestOf(1));
  node(1).store.setTag({ reference, digest: digestOf(1), resolvedAtUs: clock.wallUs() });
  await clock.advance(second);
  for (const [shiftUs, expected] of [
    [0, 'found'],
    [700 * second, 'nobody'],
    [-700 * second, 'found'],
  ] as const) {
    clock.shiftWall(shiftUs);
    await clock.advance(defaultLimits.reconcileIntervalUs + second);
    assert.equal(await outcome(), expected, String(shiftUs));
  }
  await finish();
});

test('advertising: changes that the store did not tell are seen when it says "gap", and at the next reconcile', async () => {
  for (const isTold of [true, false]) {
    const { clock, node, finish } = await startRoutingCluster(5);
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
  const { clock, cluster, nodes, finish } = await startRoutingCluster(3);
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

test('advertising: content found wrong is withdrawn, and stays so until the store has got it anew', async () => {
  const { clock, node, finish } = await startRoutingCluster(5);
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
  const { clock, node, finish } = await startRoutingCluster(8);
  node(1).store.addContent(digestOf(1));
  node(2).store.addContent(digestOf(2));
  await clock.advance(second);
  await clock.settle(node(1).advertiser.withdrawAll(new AbortController().signal));
  node(2).advertiser.dispose();
  assert.equal((await findFrom(clock, node(0), digestOf(1))).outcome, 'nobody');
  assert.equal((await findFrom(clock, node(0), digestOf(2))).outcome, 'found');
  await finish();
});

test('advertising: a graceful stop in the middle of a long statement has the last word', async () => {
  const store = createListedStore();
  for (let index = 0; index < 100; index += 1) store.addContent(digestOf(index));
  const { clock, cluster, nodes, node, finish } = await startRoutingCluster(1);
  nodes.push(startRoutingNode(clock, cluster.add('late'), { store, limits: { recordsMessageMaxBytes: 2_000 } }));
  const toOld = (): RecordBatch[] => sends(cluster).filter(({ add }) => add.length > 0);
  while (toOld().length < 2) await clock.advance(500);
  await clock.settle(node(1).advertiser.withdrawAll(new AbortController().signal));
  await clock.advance(second);
  assert.equal(toOld().length, 2, 'no further part is sent');
  assert.equal(node(0).router.state().keys, 0);
  await finish();
});

test('advertising: a node answers for its own content itself, until it stops', async () => {
  const { clock, cluster, node, finish } = await startRoutingCluster(4);
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

test('advertising: a gap while the store is being listed is not lost', async () => {
  const { clock, node, finish } = await startRoutingCluster(4);
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
  const { clock, cluster, node, finish } = await startRoutingCluster(8);
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
