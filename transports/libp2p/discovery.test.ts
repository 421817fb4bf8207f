import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Random } from '../../core/index.ts';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import type { BootstrapEntry } from './bootstrap.ts';
import { createDiscovery } from './discovery.ts';
import type { Visit } from './discovery.ts';
import { createMemberTable } from './member-table.ts';
import { createPeerIds } from './peer-ids.ts';

const ids = createPeerIds(100);
const idOf = (number: number): string =>
  ids.toText(Buffer.concat([Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20), new Uint8Array(32).fill(number)]));
const second = 1_000_000;
const random: Random = { below: () => 0, fork: () => random };
const own = { host: '10.0.0.100', port: 5001 };

function entry(number: number, id?: string): BootstrapEntry {
  return { id, endpoints: [{ host: `10.0.0.${number}`, port: 5001 }] };
}

function discoveryOf(
  entries: () => readonly BootstrapEntry[] | Promise<BootstrapEntry[]>,
  kind: 'dns' | 'static' = 'dns',
) {
  const clock = createVirtualClock();
  const table = createMemberTable(
    { ids, nowUs: clock.nowUs },
    { selfId: idOf(100), membersMax: 100, retryUs: second, forgetUs: 1000 * second },
  );
  const rounds: number[] = [];
  const visits: Visit[] = [];
  const discovery = createDiscovery(
    {
      clock,
      random,
      bootstrap: {
        kind,
        resolve: async () => {
          rounds.push(clock.nowUs());
          return entries();
        },
      },
      table,
      selfId: idOf(100),
      ownEndpoints: () => [own],
      visit: async (visit) => void visits.push(visit),
      onRound: () => undefined,
    },
    { retryMinUs: 50_000, retryMaxUs: 10 * second, intervalUs: 60 * second, visitsMax: 4, resolveTimeoutUs: second },
  );
  const meet = (number: number): void => {
    const endpoints = [{ host: `10.0.0.${number}`, port: 5001 }];
    table.meet({ id: idOf(number), endpoints, registryPort: 5000, kind: 'peili', zone: '', incarnation: 1 }, true);
  };
  return { clock, table, rounds, visits, discovery, meet };
}

test('discovery: alone it asks again after 50 ms, doubling to 10 s; with a member once a minute or so', async () => {
  const { clock, rounds, discovery, meet } = discoveryOf(() => []);
  discovery.start();
  await clock.advance(40 * second);
  const gaps = rounds.slice(1).map((atUs, index) => atUs - (rounds[index] ?? 0));
  assert.deepEqual(
    gaps.slice(0, 9),
    [1, 2, 4, 8, 16, 32, 64, 128, 200].map((factor) => factor * 50_000),
  );
  meet(1);
  rounds.length = 0;
  await clock.advance(100 * second);
  assert.ok(rounds.length >= 1 && rounds.length <= 4, `${rounds.length} rounds`);
  discovery.stop();
  assert.equal(clock.pending(), 0);
});

test('discovery: neither itself nor known members are dialled, and only so many strangers a round', async () => {
  const numbers = [100, 1, 2, 3, 4, 5, 6];
  const { clock, visits, discovery, meet } = discoveryOf(() => numbers.map((number) => entry(number)));
  meet(1);
  discovery.start();
  await clock.advance(1000);
  const hosts = visits.map(({ endpoint }) => endpoint.host);
  assert.equal(hosts.length, 4);
  assert.ok(!hosts.includes('10.0.0.1') && !hosts.includes(own.host));
  discovery.stop();
});

test('discovery: itself is known by its id, and by its address where no id is given', async () => {
  for (const entries of [[entry(100)], [entry(1, idOf(100))]]) {
    const { clock, visits, discovery } = discoveryOf(() => entries, 'static');
    discovery.start();
    await clock.advance(1000);
    assert.deepEqual([visits.length, discovery.isSelfTheOnlyEntry()], [0, true]);
    discovery.stop();
  }
  const { clock, discovery } = discoveryOf(() => [entry(100), entry(1)]);
  discovery.start();
  await clock.advance(1000);
  assert.equal(discovery.isSelfTheOnlyEntry(), false);
  discovery.stop();
});

test('discovery: who cannot be reached and is no longer in the name is gone; a failure to resolve takes nobody', async () => {
  const answer: { entries: BootstrapEntry[] | undefined } = { entries: undefined };
  const { clock, table, discovery, meet } = discoveryOf(() => {
    if (answer.entries === undefined) throw new Error('no such name');
    return answer.entries;
  });
  for (const number of [1, 2, 3]) meet(number);
  for (const number of [1, 2]) {
    table.setConnected(idOf(number), false);
    table.fail(idOf(number));
  }
  discovery.start();
  await clock.advance(second);
  assert.equal(table.members().length, 3);
  answer.entries = [entry(2), entry(100)];
  await clock.advance(100 * second);
  assert.deepEqual(
    table.members().map(({ id }) => id),
    [idOf(2), idOf(3)],
  );
  discovery.stop();
});

test('discovery: a name that never answers is asked again, and stopping ends all', async () => {
  const { clock, rounds, discovery } = discoveryOf(() => new Promise(() => undefined));
  discovery.start();
  await clock.advance(5 * second);
  assert.ok(rounds.length > 2);
  discovery.stop();
  discovery.stop();
  await clock.advance(0);
  assert.equal(clock.pending(), 0);
});
