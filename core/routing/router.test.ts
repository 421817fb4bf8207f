import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../limits.ts';
import type { Holder, RecordBatch } from '../ports/index.ts';
import { createMemoryCluster, memberOf } from '../testing/memory-cluster.ts';
import type { MemoryCluster } from '../testing/memory-cluster.ts';
import { findFrom, startRoutingNode } from '../testing/routing-node.ts';
import type { RoutingNode, RoutingNodeOptions } from '../testing/routing-node.ts';
import { createSha256Digester } from '../testing/sha256-digester.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import type { VirtualClock } from '../testing/virtual-clock.ts';
import { createPositionTable } from './position-table.ts';
import { positionOf, routingKeyOf } from './routing-key.ts';

const second = 1_000_000;
const digester = createSha256Digester();
const digest = `sha256:${'1'.repeat(64)}`;
const digestOf = (index: number): string => `sha256:${index.toString(16).padStart(64, '0')}`;
const key = routingKeyOf(digester, digest);

interface Cluster {
  readonly clock: VirtualClock;
  readonly cluster: MemoryCluster;
  readonly nodes: Map<string, RoutingNode>;
  /** Members by their distance to `digest`, nearest first. */
  readonly byDistance: readonly RoutingNode[];
  readonly start: (id: string, options?: RoutingNodeOptions) => RoutingNode;
  /** All went well in the end: nothing is left behind. */
  readonly finish: () => Promise<void>;
}

async function clusterOf(size: number, options: RoutingNodeOptions = {}): Promise<Cluster> {
  const clock = createVirtualClock();
  const cluster = createMemoryCluster(clock);
  const nodes = new Map<string, RoutingNode>();
  const table = createPositionTable<RoutingNode>();
  const start: Cluster['start'] = (id, own = options) => {
    const ports = cluster.add(id);
    const node = startRoutingNode(clock, ports, own);
    nodes.set(id, node);
    table.add(node, ports.membership.self.position);
    return node;
  };
  for (let index = 0; index < size; index += 1) start(`node-${index}`);
  await clock.advance(second);
  const finish = async (): Promise<void> => {
    for (const node of nodes.values()) node.dispose();
    await clock.advance(0);
    assert.equal(clock.pending(), 0, 'timers');
    assert.equal(cluster.pending(), 0, 'calls');
  };
  return { clock, cluster, nodes, byDistance: table.nearest(positionOf(digester, key), size), start, finish };
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

test('lookup: nobody has it, members are well: answered within the miss time', async () => {
  const { clock, nodes, finish } = await clusterOf(8);
  for (const node of nodes.values()) {
    const { outcome, tookUs } = await findFrom(clock, node, digest);
    assert.equal(outcome, 'nobody');
    assert.equal(tookUs <= defaultLimits.lookupMissTimeoutUs, true, `${tookUs} us`);
  }
  await finish();
});

test('lookup: a node that is alone answers at once', async () => {
  const { clock, nodes, finish } = await clusterOf(1);
  const { outcome, tookUs } = await findFrom(clock, nodes.get('node-0')!, digest);
  assert.deepEqual([outcome, tookUs], ['nobody', 0]);
  await finish();
});

test('lookup: the first yes is passed on at once, however slow the others are', async () => {
  const { clock, cluster, byDistance, finish } = await clusterOf(10);
  at(byDistance, -1).store.addContent(digest);
  await clock.advance(second);
  const [, fast] = byDistance;
  cluster.rule(({ to }) => ({ delayUs: to === fast?.id ? 1_000 : 20_000 }));
  const found = await findFrom(clock, at(byDistance, 5), digest);
  assert.deepEqual([found.outcome, found.firstUs, found.ids], ['found', 2_000, [at(byDistance, -1).id]]);
  assert.equal(found.tookUs, 40_000, 'the others were waited for, to add holders');
  await finish();
});

test('lookup: with two of the three that keep the key dead it is found still', async () => {
  const { clock, cluster, byDistance, finish } = await clusterOf(10);
  at(byDistance, -1).store.addContent(digest);
  await clock.advance(second);
  cluster.kill(at(byDistance, 0).id);
  cluster.kill(at(byDistance, 1).id);
  const found = await findFrom(clock, at(byDistance, 5), digest);
  assert.deepEqual([found.outcome, found.ids], ['found', [at(byDistance, -1).id]]);
  await finish();
});

test('lookup: never takes longer than its time-out, whatever members do', async () => {
  const { clock, cluster, byDistance, finish } = await clusterOf(10);
  for (const is of ['lost', 'mute', 'refused'] as const) {
    cluster.rule(() => ({ is }));
    const { outcome, tookUs } = await findFrom(clock, at(byDistance, -1), digest);
    assert.equal(tookUs <= defaultLimits.lookupTimeoutUs, true, `${is}: ${tookUs} us`);
    assert.equal(outcome, is === 'refused' ? 'unreachable' : 'timeout');
    await clock.advance(defaultLimits.memberRetryUs);
  }
  await finish();
});

test('lookup: a quorum of "nobody" waits for a silent member until the miss time and no longer, and cancels its call', async () => {
  const { clock, cluster, byDistance, finish } = await clusterOf(10);
  cluster.rule(({ to, type }) => (type === 'lookup' && to === at(byDistance, 0).id ? { is: 'lost' } : {}));
  const { outcome, tookUs } = await findFrom(clock, at(byDistance, -1), digest);
  assert.deepEqual([outcome, tookUs], ['nobody', defaultLimits.lookupMissTimeoutUs]);
  assert.equal(cluster.pending(), 0);
  await finish();
});

test('lookup: a member that failed is not waited for again, and the next nearest is asked as well', async () => {
  const { clock, cluster, byDistance, finish } = await clusterOf(10);
  cluster.rule(({ to, type }) => (type === 'lookup' && to === at(byDistance, 0).id ? { is: 'lost' } : {}));
  const asker = at(byDistance, -1);
  for (let round = 0; round < defaultLimits.silentLookupsMax; round += 1) await findFrom(clock, asker, digest);
  const before = cluster.calls.length;
  const { outcome, tookUs } = await findFrom(clock, asker, digest);
  const asked = cluster.calls.slice(before).map(({ to }) => to);
  assert.deepEqual([outcome, tookUs < 5_000], ['nobody', true]);
  assert.equal(asked.includes(at(byDistance, 3).id), true);
  cluster.rule(undefined);
  for (let index = 0; index < 30; index += 1) at(byDistance, 0).store.addContent(digestOf(index));
  await clock.advance(100_000);
  assert.equal(
    asker.router.reachability.isSuspect(at(byDistance, 0).id, clock.nowUs()),
    false,
    'a sign of life clears it',
  );
  await finish();
});

test('lookup: if nobody at all answers, no member is blamed: the node itself may have stood still', async () => {
  const { clock, cluster, byDistance, finish } = await clusterOf(10);
  cluster.rule(({ type }) => (type === 'lookup' ? { is: 'lost' } : {}));
  const asker = at(byDistance, -1);
  assert.equal((await findFrom(clock, asker, digest)).outcome, 'timeout');
  for (const { id } of byDistance) assert.equal(asker.router.reachability.isSuspect(id, clock.nowUs()), false);
  await finish();
});

test('lookup: eight at once for one key are one set of calls, and late comers get what was found so far', async () => {
  const { clock, cluster, byDistance, finish } = await clusterOf(10);
  const holder = at(byDistance, -1);
  holder.store.addContent(digest);
  await clock.advance(second);
  cluster.rule(({ to }) => (to === at(byDistance, 2).id ? { delayUs: 30_000 } : {}));
  const before = cluster.calls.length;
  const asker = at(byDistance, 5);
  const { signal } = new AbortController();
  const found: string[][] = [];
  const join = (): Promise<string> => {
    const ids: string[] = [];
    found.push(ids);
    return asker.router.lookup(digest, (holders) => ids.push(...holders.map(({ member }) => member.id)), signal);
  };
  const early = Array.from({ length: 7 }, join);
  await clock.advance(10_000);
  const outcomes = await clock.settle(Promise.all([...early, join()]));
  assert.equal(cluster.calls.length - before, 3);
  assert.deepEqual(new Set(outcomes), new Set(['found']));
  for (const ids of found) assert.deepEqual(ids, [holder.id]);
  assert.equal(asker.router.state().lookups, 0);
  await findFrom(clock, asker, digest);
  assert.equal(cluster.calls.length - before, 6, 'nothing is remembered after the end');
  await finish();
});

test('lookup: one caller that goes away leaves the others alone; the last one ends it', async () => {
  const { clock, cluster, byDistance, finish } = await clusterOf(10);
  cluster.rule(({ type }) => (type === 'lookup' ? { is: 'lost' } : {}));
  const asker = at(byDistance, -1);
  const callers = [new AbortController(), new AbortController()];
  const [first, last] = callers.map(({ signal }) => asker.router.lookup(digest, () => undefined, signal));
  await clock.advance(1_000);
  callers[0]?.abort();
  await assert.rejects(first!, { code: 'ABORTED' });
  assert.equal(asker.router.state().lookups, 1);
  callers[1]?.abort();
  await assert.rejects(last!, { code: 'ABORTED' });
  assert.equal(asker.router.state().lookups, 0);
  await clock.advance(0);
  assert.equal(cluster.pending(), 0);
  await finish();
});

test('lookup: a caller may go away from within its callback', async () => {
  const { clock, byDistance, finish } = await clusterOf(10);
  at(byDistance, -1).store.addContent(digest);
  await clock.advance(second);
  const caller = new AbortController();
  const looked = at(byDistance, 5).router.lookup(
    digest,
    () => {
      caller.abort();
    },
    caller.signal,
  );
  const rejected = assert.rejects(looked, { code: 'ABORTED' });
  await clock.advance(second);
  await rejected;
  await finish();
});

test('lookup: dispose ends what is under way, and what comes later', async () => {
  const { clock, byDistance, finish } = await clusterOf(10);
  const { router } = at(byDistance, -1);
  const { signal } = new AbortController();
  const looked = assert.rejects(
    router.lookup(digest, () => undefined, signal),
    { code: 'ABORTED' },
  );
  await clock.advance(100);
  router.dispose();
  await looked;
  await assert.rejects(
    router.lookup(digest, () => undefined, signal),
    { code: 'ABORTED' },
  );
  await finish();
});

test('lookup: a partial view costs a second hop', async () => {
  const clock = createVirtualClock();
  const cluster = createMemoryCluster(clock);
  const full = Array.from({ length: 10 }, (_, index) => startRoutingNode(clock, cluster.add(`node-${index}`)));
  await clock.advance(second);
  const asker = startRoutingNode(clock, cluster.add('asker', { isAlone: true }));
  const table = createPositionTable<RoutingNode>();
  for (const node of full) table.add(node, memberOf(node.id).position);
  const byDistance = table.nearest(positionOf(digester, key), 10);
  at(byDistance, 4).store.addContent(digest);
  await clock.advance(second);
  for (const index of [-1, -2]) cluster.introduce('asker', at(byDistance, index).id);
  const found = await findFrom(clock, asker, digest);
  assert.deepEqual([found.outcome, found.ids], ['found', [at(byDistance, 4).id]]);
  for (const node of [...full, asker]) node.dispose();
});

test('records: a member can speak for nobody but itself', async () => {
  const { clock, cluster, byDistance, finish } = await clusterOf(5);
  const liar = cluster.add('liar');
  const victim = at(byDistance, 1).id;
  const forged = { ...said({ add: [{ key }] }), sender: victim, member: { id: victim } };
  for (const member of liar.membership.members()) {
    await clock.settle(liar.records.send(member, forged, new AbortController().signal));
  }
  const { ids } = await findFrom(clock, at(byDistance, 4), digest);
  assert.deepEqual(ids, ['liar']);
  await finish();
});

test('lookup: a holder is known as this node knows it, not as others describe it', async () => {
  const { clock, cluster, byDistance, finish } = await clusterOf(5);
  const honest = at(byDistance, 3);
  const liar = at(byDistance, 0);
  const ports = cluster.add('liar');
  const forged: Holder = {
    member: { ...ports.membership.members().find(({ id }) => id === honest.id)!, addresses: ['192.0.2.1'] },
  };
  const lies = { holders: [forged], warming: false, closer: [] };
  liar.router.dispose();
  const dispose = cluster.serve(liar.id, { onBatch: () => undefined, onLookup: () => lies });
  const { holders } = await findFrom(clock, at(byDistance, 4), digest);
  assert.deepEqual(
    holders.map(({ member }) => member.addresses),
    [['127.0.0.1']],
  );
  dispose();
  await finish();
});

test('lookup: a node is never its own source, whatever others say', async () => {
  const { clock, cluster, byDistance, finish } = await clusterOf(5);
  const asker = at(byDistance, 4);
  const self = cluster.member(asker.id);
  const lies = { holders: [{ member: self }], warming: false, closer: [self] };
  for (const index of [0, 1, 2]) {
    cluster.serve(at(byDistance, index).id, { onBatch: () => undefined, onLookup: () => lies });
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
  const { clock, cluster, nodes, byDistance, finish } = await clusterOf(8);
  const [keeper] = byDistance;
  const holder = at(byDistance, -1);
  holder.store.addContent(digest);
  await clock.advance(second);
  keeper!.dispose();
  const other = at(byDistance, 3);
  cluster.rule(({ type, from }) => (type === 'send' && from === other.id ? { delayUs: 3 * second } : {}));
  const again = startRoutingNode(clock, cluster.restart(keeper!.id));
  nodes.set(again.id, again);
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
  const { clock, cluster, byDistance, finish } = await clusterOf(6);
  const spegels = Array.from({ length: 8 }, (_, index) => cluster.add(`spegel-${index}`, { kind: 'spegel' }));
  for (const { membership, records } of spegels) {
    const { id } = membership.self;
    records.serve({
      onBatch: () => undefined,
      onLookup: () => ({ holders: id === 'spegel-7' ? [{ member: membership.self }] : [], warming: false, closer: [] }),
    });
  }
  const { outcome, ids } = await findFrom(clock, at(byDistance, 2), digest);
  assert.deepEqual([outcome, ids], ['found', ['spegel-7']]);
  await finish();
});
