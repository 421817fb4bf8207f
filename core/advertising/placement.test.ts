import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSha256Digester, sha256 } from '../testing/sha256-digester.ts';
import { createPositionTable } from '../routing/position-table.ts';
import { positionOf, routingKeyOf } from '../routing/routing-key.ts';
import { Placement } from './placement.ts';

const digester = createSha256Digester();
const placeOf = (id: string): Uint8Array => sha256(new TextEncoder().encode(id));
const keyOf = (index: number): string => routingKeyOf(digester, `key-${index}`);

const step = fc.record({ type: fc.constantFrom('join', 'join', 'add', 'add', 'leave', 'remove'), index: fc.nat(11) });

test('placement: after any comings and goings each key is with its nearest members, and moves name the newcomers', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const placement = new Placement(3);
      const members = new Set<string>();
      const keys = new Set<string>();
      for (const { type, index } of steps) {
        const [id, key] = [`member-${index}`, keyOf(index)];
        const before = new Map([...keys].map((each) => [each, placement.membersOf(each)]));
        if (type === 'join') placement.addMember(id, placeOf(id));
        if (type === 'add') placement.addKey(key, positionOf(digester, key));
        if (type === 'remove') placement.removeKey(key);
        const moves = type === 'leave' ? placement.removeMember(id) : [];
        if (type === 'join' || type === 'leave') members[type === 'join' ? 'add' : 'delete'](id);
        else keys[type === 'add' ? 'add' : 'delete'](key);
        for (const move of moves) {
          assert.equal(before.get(move.key)?.includes(move.id), false);
          assert.equal(placement.membersOf(move.key).includes(move.id), true);
        }
      }
      const table = createPositionTable<string>();
      for (const id of members) table.add(id, placeOf(id));
      const all = Array.from({ length: 12 }, (_, index) => keyOf(index));
      for (const key of all) {
        const nearest = keys.has(key) ? table.nearest(positionOf(digester, key), 3) : [];
        assert.deepEqual(placement.membersOf(key), nearest);
      }
      for (const id of members) {
        const own = all.filter((key) => placement.membersOf(key).includes(id));
        assert.deepEqual([...placement.keysOf(id)].sort(), own.sort());
      }
    }),
    { numRuns: 100 },
  );
});
