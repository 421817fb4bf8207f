import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../limits.ts';
import { startRoutingCluster } from '../testing/routing-cluster.ts';
import type { RoutingCluster } from '../testing/routing-cluster.ts';
import { findFrom } from '../testing/routing-node.ts';
import type { RoutingNode } from '../testing/routing-node.ts';

const second = 1_000_000;
const digest = `sha256:${'1'.repeat(64)}`;
const digestOf = (index: number): string => `sha256:${index.toString(16).padStart(64, '0')}`;

/** A cluster, and its nodes by their distance to `digest`. */
async function clusterOf(size: number): Promise<RoutingCluster & { readonly near: readonly RoutingNode[] }> {
  const cluster = await startRoutingCluster(size);
  return { ...cluster, near: cluster.byDistance(digest) };
}

const at = <T>(items: readonly T[], index: number): T => items.at(index)!;

test('lookup: nobody has it, members are well: answered within the miss time', async () => {
  const { clock, nodes, finish } = await clusterOf(8);
  for (const node of nodes) {
    const { outcome, tookUs } = await findFrom(clock, node, digest);
    assert.equal(outcome, 'nobody');
    assert.equal(tookUs <= defaultLimits.lookupMissTimeoutUs, true, `${tookUs} us`);
  }
  await finish();
});

test('lookup: a node that is alone answers at once', async () => {
  const { clock, nodes, finish } = await clusterOf(1);
  const { outcome, tookUs } = await findFrom(clock, nodes[0]!, digest);
  assert.deepEqual([outcome, tookUs], ['nobody', 0]);
  await finish();
});

test('lookup: the first yes is passed on at once, however slow the others are', async () => {
  const { clock, cluster, near, finish } = await clusterOf(10);
  at(near, -1).store.addContent(digest);
  await clock.advance(second);
  const [, fast] = near;
  cluster.rule(({ to }) => ({ delayUs: to === fast?.id ? 1_000 : 20_000 }));
  const found = await findFrom(clock, at(near, 5), digest);
  assert.deepEqual([found.outcome, found.firstUs, found.ids], ['found', 2_000, [at(near, -1).id]]);
  assert.equal(found.tookUs, 40_000, 'the others were waited for, to add holders');
  await finish();
});

test('lookup: with two of the three that keep the key dead it is found still', async () => {
  const { clock, cluster, near, finish } = await clusterOf(10);
  at(near, -1).store.addContent(digest);
  await clock.advance(second);
  cluster.kill(at(near, 0).id);
  cluster.kill(at(near, 1).id);
  const found = await findFrom(clock, at(near, 5), digest);
  assert.deepEqual([found.outcome, found.ids], ['found', [at(near, -1).id]]);
  await finish();
});

test('lookup: never takes longer than its time-out, whatever members do', async () => {
  const { clock, cluster, near, finish } = await clusterOf(10);
  for (const is of ['lost', 'mute', 'refused'] as const) {
    cluster.rule(() => ({ is }));
    const { outcome, tookUs } = await findFrom(clock, at(near, -1), digest);
    assert.equal(tookUs <= defaultLimits.lookupTimeoutUs, true, `${is}: ${tookUs} us`);
    assert.equal(outcome, is === 'refused' ? 'unreachable' : 'timeout');
    await clock.advance(defaultLimits.memberRetryUs);
  }
  await finish();
});

test('lookup: a quorum of "nobody" waits for a silent member until the miss time and no longer, and cancels its call', async () => {
  const { clock, cluster, near, finish } = await clusterOf(10);
  cluster.rule(({ to, type }) => (type === 'lookup' && to === at(near, 0).id ? { is: 'lost' } : {}));
  const { outcome, tookUs } = await findFrom(clock, at(near, -1), digest);
  assert.deepEqual([outcome, tookUs], ['nobody', defaultLimits.lookupMissTimeoutUs]);
  assert.equal(cluster.pending(), 0);
  await finish();
});

test('lookup: of those that keep a key no more are dialled than a quorum takes, the nearest of them; and the rest where that was too few', async () => {
  const { clock, cluster, near, finish } = await clusterOf(10);
  const asker = at(near, -1);
  const asked = async (...connected: readonly number[]): Promise<readonly number[]> => {
    const ids = connected.map((index) => at(near, index).id);
    cluster.connections((_from, to) => ids.includes(to));
    const before = cluster.calls.length;
    await findFrom(clock, asker, digest);
    const places = cluster.calls.slice(before).map(({ to }) => near.findIndex(({ id }) => id === to));
    return places.toSorted((a, b) => a - b);
  };
  assert.deepEqual(await asked(0, 1, 2), [0, 1, 2]);
  assert.deepEqual(await asked(1, 2), [1, 2]);
  assert.deepEqual(await asked(2), [0, 2]);
  assert.deepEqual(await asked(), [0, 1]);
  // One that is connected and silent: at the miss time the third is asked.
  cluster.rule(({ to, type }) => (type === 'lookup' && to === at(near, 1).id ? { is: 'lost' } : {}));
  assert.deepEqual(await asked(1, 2), [0, 1, 2]);
  cluster.rule(undefined);
  await finish();
});

test('lookup: a member that failed is not waited for again, and the next nearest is asked as well', async () => {
  const { clock, cluster, near, finish } = await clusterOf(10);
  cluster.rule(({ to, type }) => (type === 'lookup' && to === at(near, 0).id ? { is: 'lost' } : {}));
  const asker = at(near, -1);
  for (let round = 0; round < defaultLimits.silentLookupsMax; round += 1) await findFrom(clock, asker, digest);
  const before = cluster.calls.length;
  const { outcome, tookUs } = await findFrom(clock, asker, digest);
  const asked = cluster.calls.slice(before).map(({ to }) => to);
  assert.deepEqual([outcome, tookUs < 5_000], ['nobody', true]);
  assert.equal(asked.includes(at(near, 3).id), true);
  cluster.rule(undefined);
  for (let index = 0; index < 30; index += 1) at(near, 0).store.addContent(digestOf(index));
  await clock.advance(100_000);
  assert.equal(asker.router.reachability.isSuspect(at(near, 0).id, clock.nowUs()), false, 'a sign of life clears it');
  await finish();
});

test('lookup: if nobody at all answers, no member is blamed: the node itself may have stood still', async () => {
  const { clock, cluster, near, finish } = await clusterOf(10);
  cluster.rule(({ type }) => (type === 'lookup' ? { is: 'lost' } : {}));
  const asker = at(near, -1);
  assert.equal((await findFrom(clock, asker, digest)).outcome, 'timeout');
  for (const { id } of near) assert.equal(asker.router.reachability.isSuspect(id, clock.nowUs()), false);
  await finish();
});

test('lookup: eight at once for one key are one set of calls, and late comers get what was found so far', async () => {
  const { clock, cluster, near, finish } = await clusterOf(10);
  const holder = at(near, -1);
  holder.store.addContent(digest);
  await clock.advance(second);
  cluster.rule(({ to }) => (to === at(near, 2).id ? { delayUs: 30_000 } : {}));
  const before = cluster.calls.length;
  const asker = at(near, 5);
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
  const { clock, cluster, near, finish } = await clusterOf(10);
  cluster.rule(({ type }) => (type === 'lookup' ? { is: 'lost' } : {}));
  const asker = at(near, -1);
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
  const { clock, near, finish } = await clusterOf(10);
  at(near, -1).store.addContent(digest);
  await clock.advance(second);
  const caller = new AbortController();
  const looked = at(near, 5).router.lookup(
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
  const { clock, near, finish } = await clusterOf(10);
  const { router } = at(near, -1);
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
