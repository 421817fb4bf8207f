import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../limits.ts';
import type { Holder, RecordBatch } from '../ports/index.ts';
import { createMemoryCluster, memberOf } from '../testing/memory-cluster.ts';
import { startRoutingCluster } from '../testing/routing-cluster.ts';
import type { RoutingCluster } from '../testing/routing-cluster.ts';
import { findFrom, startRoutingNode } from '../testing/routing-node.ts';
import type { RoutingNode } from '../testing/routing-node.ts';
import { createSha256Digester } from '../testing/sha256-digester.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { createPositionTable } from './position-table.ts';
import { positionOf, routingKeyOf } from './routing-key.ts';

const second = 1_000_000;
const digester = createSha256Digester();
const digest = `sha256:${'1'.repeat(64)}`;
const key = routingKeyOf(digester, digest);

/** A cluster, and its nodes by their distance to `digest`. */
async function clusterOf(size: number): Promise<RoutingCluster & { readonly near: readonly RoutingNode[] }> {
  const cluster = await startRoutingCluster(size);
  return { ...cluster, near: cluster.byDistance(digest) };
}

const at = <T>(items: readonly T[], index: number): T => items.at(index)!;

const said = (changes: Partial<RecordBatch>): RecordBatch => ({
  incarnation: 1,
  sequence: 1_000,
  complete: false,
  add: [],
  withdraw: [],
  ttlUs: 60 * second,
  ...changes,
});

test('lookup: a partial view costs a second hop', async () => {
  const clock = createVirtualClock();
  const cluster = createMemoryCluster(clock);
  const full = Array.from({ length: 10 }, (_, index) => startRoutingNode(clock, cluster.add(`node-${index}`)));
  await clock.advance(second);
  const asker = startRoutingNode(clock, cluster.add('asker', { isAlone: true }));
  const table = createPositionTable<RoutingNode>();
  for (const node of full) table.add(node, memberOf(node.id).position);
  const near = table.nearest(positionOf(digester, key), 10);
  at(near, 4).store.addContent(digest);
  await clock.advance(second);
  for (const index of [-1, -2]) cluster.introduce('asker', at(near, index).id);
  const found = await findFrom(clock, asker, digest);
  assert.deepEqual([found.outcome, found.ids], ['found', [at(near, 4).id]]);
  for (const node of [...full, asker]) node.dispose();
});

test('records: a member can speak for nobody but itself', async () => {
  const { clock, cluster, near, finish } = await clusterOf(5);
  const liar = cluster.add('liar');
  const victim = at(near, 1).id;
  const forged = { ...said({ add: [{ key }] }), sender: victim, member: { id: victim } };
  for (const member of liar.membership.members()) {
    await clock.settle(liar.records.send(member, forged, new AbortController().signal));
  }
  const { ids } = await findFrom(clock, at(near, 4), digest);
  assert.deepEqual(ids, ['liar']);
  await finish();
});

test('lookup: a holder is known as this node knows it, not as others describe it', async () => {
  const { clock, cluster, near, finish } = await clusterOf(5);
  const honest = at(near, 3);
  const liar = at(near, 0);
  const ports = cluster.add('liar');
  const forged: Holder = {
    member: { ...ports.membership.members().find(({ id }) => id === honest.id)!, addresses: ['192.0.2.1'] },
  };
  const lies = { holders: [forged], warming: false, closer: [] };
  liar.router.dispose();
  const dispose = cluster.serve(liar.id, { onBatch: () => undefined, onLookup: () => lies });
  const { holders } = await findFrom(clock, at(near, 4), digest);
  assert.deepEqual(
    holders.map(({ member }) => member.addresses),
    [['127.0.0.1']],
  );
  dispose();
  await finish();
});

test('lookup: a node is never its own source, whatever others say', async () => {
  const { clock, cluster, near, finish } = await clusterOf(5);
  const asker = at(near, 4);
  const self = cluster.member(asker.id);
  const lies = { holders: [{ member: self }], warming: false, closer: [self] };
  for (const index of [0, 1, 2]) {
    cluster.serve(at(near, index).id, { onBatch: () => undefined, onLookup: () => lies });
  }
  const { outcome, ids } = await findFrom(clock, asker, digest);
  assert.deepEqual([outcome, ids], ['nobody', []]);
  await finish();
});

test('warming: ends with a complete batch of everybody, not with any batch, and does not wait for Spegel members', async () => {
  const clock = createVirtualClock();
  const cluster = createMemoryCluster(clock);
  cluster.add('spegel', { kind: 'spegel' });
  const other = cluster.add('other');
  const node = startRoutingNode(clock, cluster.add('node'));
  for (const id of ['other', 'spegel']) {
    cluster.serve(id, { onBatch: () => undefined, onLookup: () => ({ holders: [], warming: false, closer: [] }) });
  }
  const tell = async (batch: RecordBatch): Promise<void> => {
    const told = other.records.send(cluster.member('node'), batch, new AbortController().signal);
    await clock.advance(10_000);
    await told;
  };
  await tell(said({ add: [{ key }] }));
  assert.equal(node.router.state().warming, true);
  await tell(said({ complete: true, sequence: 1_001 }));
  assert.equal(node.router.state().warming, false);
  node.dispose();
});

test('warming: a restarted member says so until everybody has told it again, and answers then as before', async () => {
  const { clock, cluster, nodes, near, finish } = await clusterOf(8);
  const [keeper] = near;
  const holder = at(near, -1);
  holder.store.addContent(digest);
  await clock.advance(second);
  keeper!.dispose();
  const other = at(near, 3);
  cluster.rule(({ type, from }) => (type === 'send' && from === other.id ? { delayUs: 3 * second } : {}));
  const again = startRoutingNode(clock, cluster.restart(keeper!.id));
  nodes.push(again);
  assert.equal(again.router.state().warming, true);
  await clock.advance(second);
  assert.equal(again.router.state().warming, true, 'one member has not spoken yet');
  assert.equal(again.router.state().keys, 1, 'the others have: it knows again');
  await clock.advance(3 * second);
  assert.equal(again.router.state().warming, false);
  await finish();
});

test('warming: is bounded, and a "nobody" from warming members alone is none', async () => {
  const clock = createVirtualClock();
  const cluster = createMemoryCluster(clock);
  cluster.rule(({ type }) => (type === 'send' ? { is: 'lost' } : {}));
  const nodes = [0, 1, 2, 3].map((index) => startRoutingNode(clock, cluster.add(`node-${index}`)));
  const found = await findFrom(clock, nodes[0]!, digest);
  assert.equal(found.outcome, 'unreachable');
  assert.equal(found.tookUs <= defaultLimits.lookupTimeoutUs, true);
  await clock.advance(defaultLimits.warmingMaxUs);
  assert.equal((await findFrom(clock, nodes[0]!, digest)).outcome, 'nobody');
  for (const node of nodes) node.dispose();
  await clock.advance(0);
  assert.equal(clock.pending() + cluster.pending(), 0);
});

test('mixed cluster: a Spegel member that answers for itself alone is found, wherever it lies', async () => {
  const { clock, cluster, near, finish } = await clusterOf(6);
  const spegels = Array.from({ length: 8 }, (_, index) => cluster.add(`spegel-${index}`, { kind: 'spegel' }));
  for (const { membership, records } of spegels) {
    const { id } = membership.self;
    records.serve({
      onBatch: () => undefined,
      onLookup: () => ({ holders: id === 'spegel-7' ? [{ member: membership.self }] : [], warming: false, closer: [] }),
    });
  }
  const { outcome, ids } = await findFrom(clock, at(near, 2), digest);
  assert.deepEqual([outcome, ids], ['found', ['spegel-7']]);
  await finish();
});
