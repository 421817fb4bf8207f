import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createListedStore } from '../testing/listed-store.ts';
import { createMemoryCluster } from '../testing/memory-cluster.ts';
import type { Fate, MemoryCluster } from '../testing/memory-cluster.ts';
import { findFrom, startRoutingNode } from '../testing/routing-node.ts';
import type { RoutingNode } from '../testing/routing-node.ts';
import { createSeededRandom } from '../testing/seeded-random.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import type { VirtualClock } from '../testing/virtual-clock.ts';

const second = 1_000_000;
const keys = Array.from({ length: 6 }, (_, index) => `sha256:${index.toString(16).padStart(64, '0')}`);
/** Short, so that a run covers several rounds of each. */
const limits = {
  recordTtlUs: 120 * second,
  advertiseIntervalUs: 60 * second,
  reconcileIntervalUs: 15 * second,
  memberRetryUs: 5 * second,
  recordsSendTimeoutUs: second,
};

const operation = fc.oneof(
  fc.record({ type: fc.constant('add' as const), node: fc.nat(9), key: fc.nat(5) }),
  fc.record({ type: fc.constant('remove' as const), node: fc.nat(9), key: fc.nat(5) }),
  fc.record({ type: fc.constant('missed-remove' as const), node: fc.nat(9), key: fc.nat(5) }),
  fc.record({ type: fc.constant('restart' as const), node: fc.nat(9) }),
  fc.record({ type: fc.constant('join' as const) }),
  fc.record({ type: fc.constant('weather' as const), seed: fc.nat(), badPercent: fc.constantFrom(0, 20, 60) }),
  fc.record({ type: fc.constant('wait' as const), us: fc.constantFrom(1_000, 25_000, 3 * second, 40 * second) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Messages that are lost, whose answers are lost, or that overtake each other. */
function weather(seed: number, badPercent: number): () => Fate {
  const random = createSeededRandom(seed);
  return () => {
    const delayUs = 100 + random.below(badPercent === 0 ? 1_000 : 1_500_000);
    if (random.below(100) >= badPercent) return { delayUs };
    return { delayUs, is: (['lost', 'mute', 'refused'] as const)[random.below(3)] ?? 'lost' };
  };
}

class World {
  readonly clock: VirtualClock = createVirtualClock();
  readonly cluster: MemoryCluster = createMemoryCluster(this.clock);
  readonly nodes: RoutingNode[] = [];
  readonly held: Set<string>[] = [];

  join(): void {
    if (this.nodes.length >= 10) return;
    this.nodes.push(startRoutingNode(this.clock, this.cluster.add(`node-${this.nodes.length}`), { limits }));
    this.held.push(new Set());
  }

  async apply(each: Operation): Promise<void> {
    const index = 'node' in each ? each.node % this.nodes.length : 0;
    const { store, id } = this.nodes[index]!;
    const key = 'key' in each ? keys[each.key]! : '';
    if (each.type === 'join') this.join();
    if (each.type === 'wait') await this.clock.advance(each.us);
    if (each.type === 'weather') this.cluster.rule(weather(each.seed, each.badPercent));
    if (each.type === 'add' && !this.held[index]!.has(key)) {
      this.held[index]!.add(key);
      store.addContent(key);
    }
    if (each.type === 'remove' || each.type === 'missed-remove') {
      store.mute(each.type === 'missed-remove');
      if (this.held[index]!.delete(key)) store.removeContent(key);
      store.mute(false);
    }
    if (each.type === 'restart') {
      this.nodes[index]!.dispose();
      const fresh = createListedStore();
      for (const held of this.held[index]!) fresh.addContent(held);
      this.nodes[index] = startRoutingNode(this.clock, this.cluster.restart(id), { limits, store: fresh });
    }
  }

  async check(): Promise<void> {
    for (const node of this.nodes) {
      for (const key of keys) {
        const holders = this.nodes.filter((each, index) => each !== node && this.held[index]!.has(key));
        const { outcome, ids } = await findFrom(this.clock, node, key);
        const expected = holders.map(({ id }) => id).sort();
        assert.deepEqual({ outcome, ids }, { outcome: expected.length > 0 ? 'found' : 'nobody', ids: expected });
      }
    }
  }

  async end(): Promise<void> {
    for (const node of this.nodes) node.dispose();
    await this.clock.advance(0);
    assert.equal(this.clock.pending(), 0, 'timers');
    assert.equal(this.cluster.pending(), 0, 'calls');
  }
}

test('at rest: whatever happened before, everybody finds every holder of every key, and nobody finds what is gone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      fc.array(operation, { maxLength: 25 }),
      async (size, operations) => {
        const world = new World();
        for (let index = 0; index < size; index += 1) world.join();
        for (const each of operations) await world.apply(each);
        world.cluster.rule(undefined);
        await world.clock.advance(limits.recordTtlUs + limits.advertiseIntervalUs);
        await world.check();
        await world.end();
      },
    ),
    { numRuns: 60 },
  );
});

test('at rest: where no message was lost, a moment is enough', async () => {
  const calm = fc.array(
    operation.filter(({ type }) => type !== 'weather' && type !== 'missed-remove'),
    { maxLength: 25 },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 6 }), calm, async (size, operations) => {
      const world = new World();
      for (let index = 0; index < size; index += 1) world.join();
      for (const each of operations) await world.apply(each);
      await world.clock.advance(100_000);
      await world.check();
      await world.end();
    }),
    { numRuns: 60 },
  );
});
