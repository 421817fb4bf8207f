import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MembershipChange } from '../../core/index.ts';
import { spegelFacts } from './known-member.ts';
import { createMemberTable } from './member-table.ts';
import { createPeerIds } from './peer-ids.ts';
import type { MemberFacts } from './member-codec.ts';

const ids = createPeerIds(100);

function idOf(number: number): string {
  return ids.toText(
    Buffer.concat([Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20), new Uint8Array(32).fill(number)]),
  );
}

function factsOf(number: number, changes: Partial<MemberFacts> = {}): MemberFacts {
  const endpoints = [{ host: `10.0.0.${number}`, port: 5001 }];
  return { id: idOf(number), endpoints, registryPort: 5000, kind: 'peili', zone: 'a', incarnation: 7, ...changes };
}

function tableOf(membersMax = 100) {
  const clock = { nowUs: 1000 };
  const options = { selfId: idOf(0), membersMax, retryUs: 30_000, forgetUs: 100_000 };
  const table = createMemberTable({ ids, nowUs: () => clock.nowUs }, options);
  const changes: string[] = [];
  table.watch((change: MembershipChange) => {
    changes.push(`${change.type} ${change.type === 'left' ? change.id : change.member.id}`);
  });
  return { table, clock, changes };
}

test('members: met, restarted, changed and gone are each said once; what changes nothing is not said', () => {
  const { table, changes } = tableOf();
  table.meet(factsOf(1), true);
  table.meet(factsOf(1), true);
  table.meet(factsOf(1, { incarnation: 8 }), true);
  table.meet(factsOf(1, { incarnation: 8, zone: 'b' }), true);
  table.setConnected(idOf(1), false);
  table.setConnected(idOf(1), false);
  table.leave(idOf(1));
  table.leave(idOf(1));
  assert.deepEqual(
    changes,
    ['joined', 'restarted', 'updated', 'updated', 'left'].map((type) => `${type} ${idOf(1)}`),
  );
});

test('members: a hint never changes what a member said of itself, and is never this node', () => {
  const { table, changes } = tableOf();
  table.meet(factsOf(1), true);
  table.hint(factsOf(1, { zone: 'lie', registryPort: 1, endpoints: [{ host: '10.9.9.9', port: 1 }] }));
  table.hint(factsOf(0));
  table.meet(factsOf(0), true);
  table.hint(factsOf(2, { endpoints: [] }));
  table.hint(factsOf(2, { registryPort: 0 }));
  assert.equal(changes.length, 1);
  assert.deepEqual(
    table.members().map(({ zone, registryPort, addresses }) => [zone, registryPort, addresses]),
    [['a', 5000, ['10.0.0.1']]],
  );
});

test('members: what a hint said of the start is no restart when the member says otherwise', () => {
  const { table, changes } = tableOf();
  table.hint(factsOf(1, { incarnation: 99 }));
  table.meet(factsOf(1, { incarnation: 7 }), true);
  assert.deepEqual(changes, [`joined ${idOf(1)}`, `updated ${idOf(1)}`]);
});

test('members: a failed dial forgets a hint, keeps a met member, and lets it go when nothing it said can hold', () => {
  const { table, clock } = tableOf();
  table.hint(factsOf(1));
  table.meet(factsOf(2), false);
  table.fail(idOf(1));
  table.fail(idOf(2));
  assert.deepEqual(
    table.members().map(({ id }) => id),
    [idOf(2)],
  );
  assert.equal(table.get(idOf(2))?.retryAtUs, 31_000);
  table.hint(factsOf(1));
  assert.equal(table.get(idOf(1)), undefined, 'others may go on naming it');
  clock.nowUs += 100_001;
  table.fail(idOf(2));
  table.hint(factsOf(1));
  assert.deepEqual(
    table.members().map(({ id }) => id),
    [idOf(1)],
  );
});

test('members: a member that speaks again is dialled again at once', () => {
  const { table } = tableOf();
  table.meet(factsOf(1), false);
  table.fail(idOf(1));
  table.meet(factsOf(1), true);
  assert.deepEqual([table.get(idOf(1))?.retryAtUs, table.get(idOf(1))?.failingSinceUs], [0, undefined]);
});

test('members: a full table makes room for who was met, never for who was only named, and never pushes out a good one', () => {
  const { table } = tableOf(2);
  table.meet(factsOf(1), true);
  table.hint(factsOf(2));
  table.hint(factsOf(3));
  assert.equal(table.get(idOf(3)), undefined);
  assert.equal(table.meet(factsOf(4), false), true);
  assert.equal(table.get(idOf(2)), undefined);
  assert.equal(table.meet(factsOf(5), true), false);
  table.fail(idOf(4));
  assert.equal(table.meet(factsOf(5), true), true);
  assert.deepEqual(
    table.members().map(({ id }) => id),
    [idOf(1), idOf(5)],
  );
});

test('members: another id at an address pushes out who is not connected', () => {
  const { table } = tableOf();
  const endpoint = { host: '10.0.0.1', port: 5001 };
  table.meet(factsOf(1), true);
  table.replaced(endpoint, idOf(2));
  assert.ok(table.get(idOf(1)));
  table.setConnected(idOf(1), false);
  table.replaced(endpoint, idOf(1));
  assert.ok(table.get(idOf(1)));
  table.replaced(endpoint, idOf(2));
  assert.equal(table.get(idOf(1)), undefined);
});

test('members: a Spegel node has our registry port and no incarnation', () => {
  assert.deepEqual(spegelFacts('x', [], 5000), {
    id: 'x',
    endpoints: [],
    registryPort: 5000,
    kind: 'spegel',
    zone: '',
    incarnation: 0,
  });
});
