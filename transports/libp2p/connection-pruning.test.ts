import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '@libp2p/interface';
import fc from 'fast-check';
import { connectionsToClose } from './connection-pruning.ts';

const self = Uint8Array.of(0, 0);
/** Only told apart, never used. */
let made = 0;
const connection = (): Connection => ({ id: String((made += 1)) }) as Connection;

test('connections: no more than held ones stay, and the excess goes exactly', () => {
  const open = fc.array(
    fc.record({
      position: fc.option(fc.uint8Array({ minLength: 2, maxLength: 2 }), { nil: undefined }),
      usedAtUs: fc.nat(100),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(open, fc.integer({ min: 1, max: 40 }), (facts, max) => {
      const all = facts.map((fact) => ({ ...fact, connection: connection() }));
      const closed = connectionsToClose(all, self, max);
      assert.equal(closed.length, Math.max(0, all.length - max));
      assert.equal(new Set(closed).size, closed.length);
    }),
  );
});

test('connections: neighbours in key space stay, of the others the longest unused goes first', () => {
  const at = (byte: number, usedAtUs: number) => ({
    connection: connection(),
    position: Uint8Array.of(byte, 0),
    usedAtUs,
  });
  const [near, old, fresh] = [at(1, 0), at(200, 1), at(201, 2)];
  assert.deepEqual(connectionsToClose([near, fresh, old], self, 2), [old.connection]);
});
