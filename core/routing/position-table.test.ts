import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sha256, createSha256Digester } from '../testing/sha256-digester.ts';
import { createPositionTable, isNearer } from './position-table.ts';
import { createPositions, createRoutingKeys, positionOf, routingKeyOf, wordsOf } from './routing-key.ts';

const digester = createSha256Digester();
const bytesOf = (text: string): Uint8Array => sha256(new TextEncoder().encode(text));
const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** XOR distance as one big number: slow and plain. */
const distance = (a: Uint8Array, b: Uint8Array): bigint => BigInt(`0x${hexOf(a)}`) ^ BigInt(`0x${hexOf(b)}`);

/** 32 bytes that often share long prefixes, so that later words decide too. */
const position = fc
  .tuple(fc.constantFrom(0, 4, 28, 31, 32), fc.uint8Array({ minLength: 32, maxLength: 32 }))
  .map(([shared, bytes]) => Uint8Array.from(bytes, (byte, index) => (index < shared ? 7 : byte)));

test('routing key: the published keys come out', () => {
  // CIDs of the wire protocol's documentation, their 32 bytes as hex.
  assert.equal(routingKeyOf(digester, 'foobar'), 'c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2');
});

test('routing key: its position is sha256 of the 34-byte multihash', () => {
  const key = routingKeyOf(digester, 'foobar');
  const multihash = Uint8Array.from([0x12, 0x20, ...bytesOf('foobar')]);
  assert.deepEqual(positionOf(digester, key), wordsOf(sha256(multihash)));
});

test('routing key: what is no key is RECORDS_INVALID', () => {
  for (const key of ['', 'a', 'A'.repeat(64), 'g'.repeat(64), 'a'.repeat(65)]) {
    assert.throws(() => positionOf(digester, key), { code: 'RECORDS_INVALID' });
  }
});

test('routing key: remembered positions are bounded and true', () => {
  const hashed: string[] = [];
  const counting = {
    ...digester,
    hash: (_: string, message: Uint8Array) => (hashed.push(hexOf(message)), sha256(message)),
  };
  const positions = createPositions(counting, 2);
  const [a, b, c] = ['a', 'b', 'c'].map((text) => routingKeyOf(digester, text));
  for (const key of [a, a, b, c, a]) assert.deepEqual(positions(key!), positionOf(digester, key!));
  assert.equal(hashed.length, 4, 'the second a was remembered, the last forgotten');
});

test('routing key: remembered for so many texts, and the same when it is forgotten', () => {
  const hashed: Uint8Array[] = [];
  const counting = {
    ...digester,
    hash: (...call: Parameters<typeof digester.hash>) => {
      hashed.push(call[1]);
      return digester.hash(...call);
    },
  };
  const keyOf = createRoutingKeys(counting, 2);
  for (const text of ['a', 'a', 'b', 'c', 'a']) assert.equal(keyOf(text), routingKeyOf(digester, text));
  assert.equal(hashed.length, 4, 'the second a was remembered, the last forgotten');
});

test('distance: nearest gives what sorting by XOR gives, after any additions and removals', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(position, { maxLength: 40, selector: hexOf }),
      fc.array(fc.nat(40)),
      position,
      fc.integer({ min: 0, max: 12 }),
      (positions, removals, target, count) => {
        const table = createPositionTable<Uint8Array>();
        for (const each of positions) table.add(each, each);
        const left = [...positions];
        for (const index of removals) {
          const [gone] = left.splice(index, 1);
          if (gone !== undefined)
            assert.equal(
              table.remove((item) => item === gone),
              true,
            );
        }
        assert.equal(
          table.remove(() => false),
          false,
        );
        assert.equal(table.size, left.length);
        const sorted = left.toSorted((a, b) => (distance(a, target) < distance(b, target) ? -1 : 1)).slice(0, count);
        assert.deepEqual(table.nearest(wordsOf(target), count).map(hexOf), sorted.map(hexOf));
      },
    ),
  );
});

test('distance: nearer is a smaller XOR, and equal positions are not', () => {
  fc.assert(
    fc.property(position, position, position, (target, a, b) => {
      const expected = distance(a, target) < distance(b, target);
      assert.equal(isNearer(wordsOf(target), wordsOf(a), wordsOf(b)), expected);
    }),
  );
});
