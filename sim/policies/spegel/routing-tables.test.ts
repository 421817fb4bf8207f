import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kernel } from '../../kernel/kernel.ts';
import { Life } from '../../kernel/life.ts';
import { createSimRandom } from '../../kernel/random.ts';
import { FlowNetwork } from '../../network/flow-network.ts';
import { Host } from '../../network/host.ts';
import type { Party } from '../../network/party.ts';
import type { Seat } from '../../node/directory.ts';
import { MemberView } from '../../node/member-view.ts';
import { RoutingTables } from './routing-tables.ts';

const random = createSimRandom(7);
const bytes = (): Uint8Array => Uint8Array.from({ length: 32 }, () => random.below(256));

function seatsOf(count: number): readonly Seat[] {
  const kernel = new Kernel();
  const flows = new FlowNetwork(kernel);
  const rates = { upBytesPerSecond: 1, downBytesPerSecond: 1, mirrorBytesPerSecond: 1 };
  return Array.from({ length: count }, (_, index) => {
    const name = `n${index}`;
    const host = new Host(flows, { name, zone: '', ...rates });
    const party: Party = { host, role: 'mirror', life: new Life(kernel), server: undefined };
    const self = { id: name, position: bytes(), addresses: [], registryPort: 1, kind: 'spegel', zone: '' } as const;
    return {
      party,
      self: { ...self, incarnation: 0, connected: true },
      handler: undefined,
      view: new MemberView(name),
      listeners: new Set(),
      hinted: new Set(),
      busyUntilUs: 0,
      slowness: 1,
      isGone: false,
    };
  });
}

function keepersOf(seats: readonly Seat[], key: Uint8Array): ReadonlySet<Party> {
  const distances = new Map(
    seats.map(({ party, self }) => [party, self.position.map((byte, at) => byte ^ (key[at] ?? 0))]),
  );
  const near = [...distances].toSorted(([, a], [, b]) => Buffer.compare(a, b)).slice(0, 20);
  return new Set(near.map(([party]) => party));
}

test('routing tables: in a small cluster all know a keeper of every key, of a thousand members many are asked for one first', () => {
  const twice = (count: number): number => {
    const seats = seatsOf(count);
    const tables = new RoutingTables(() => seats, createSimRandom(1));
    let hops = 0;
    for (const asker of seats.slice(0, 40)) {
      const key = bytes();
      hops += tables.hopsTo(key, keepersOf(seats, key), asker) - 1;
    }
    return hops;
  };
  assert.equal(twice(20), 0);
  assert.equal(twice(80), 0);
  const far = twice(1_000);
  // A half of all keys lies in the half of the members of which twenty are known: e^-0.8 of them; a quarter in the quarter, and so on.
  assert.ok(far >= 5 && far <= 18, `${far} of 40`);
});

test('routing tables: whoever is asked much keeps answers back; three questions cost nothing beside what was fitted', () => {
  const parties = seatsOf(22).map(({ party }) => party);
  const tables = new RoutingTables(() => [], createSimRandom(1));
  const [asker, other, ...keepers] = parties;
  assert.ok(asker !== undefined && other !== undefined && keepers.length === 20);
  assert.deepEqual(tables.ask(asker, keepers.slice(0, 3), 0), { firstUs: 0, lastUs: 0 });
  assert.deepEqual(tables.ask(asker, keepers, 0), { firstUs: 0, lastUs: 17 * 70 });
  assert.deepEqual(tables.ask(other, keepers, 0), { firstUs: 70, lastUs: 17 * 70 });
  assert.deepEqual(tables.ask(other, keepers, 1_000_000), { firstUs: 0, lastUs: 17 * 70 });
});
