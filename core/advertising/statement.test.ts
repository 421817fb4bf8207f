import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Holding } from './holdings.ts';
import { changeStatement, completeStatement, isEmpty, partsOf } from './statement.ts';

const plain: Holding = { tag: undefined };
const digest = `sha256:${'b'.repeat(64)}`;
const keyOf = (index: number): string => index.toString(16).padStart(64, '0');
const [k1, k2, k3] = [keyOf(1), keyOf(2), keyOf(3)];

test('statement: complete is everything that the member is to keep and that is held', () => {
  const { complete, add, withdraw } = completeStatement(
    new Set([k1, k2]),
    new Map([
      [k1, plain],
      [k3, plain],
    ]),
    0,
  );
  assert.deepEqual({ complete, add, withdraw }, { complete: true, add: [{ key: k1 }], withdraw: [] });
});

test('statement: a changed key is withdrawn where it was told and is gone, or is for others to keep by now', () => {
  const changed = new Set([k1, k2, k3]);
  const gone = changeStatement(changed, new Set([k1]), changed, new Map(), 0);
  assert.deepEqual([gone.add, gone.withdraw], [[], [k1]]);
  const displaced = changeStatement(
    changed,
    new Set([k1]),
    new Set(),
    new Map([
      [k1, plain],
      [k2, plain],
    ]),
    0,
  );
  assert.deepEqual([displaced.add, displaced.withdraw], [[], [k1]]);
  assert.equal(isEmpty(changeStatement(changed, new Set(), new Set(), new Map([[k1, plain]]), 0)), true);
});

test('statement: an age is never negative, whatever the wall clock does', () => {
  const holding = { tag: { digest, resolvedAtUs: 500 } };
  const ages = [100, 500, 800.4].map(
    (wallUs) => completeStatement(new Set([k1]), new Map([[k1, holding]]), wallUs).add[0]?.tag?.ageUs,
  );
  assert.deepEqual(ages, [0, 0, 300]);
});

test('statement: its parts say the same, each within the bound, the first alone complete', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(fc.boolean(), { maxLength: 60 }), fc.nat(30), (complete, tags, withdrawn) => {
      const add = tags.map((isTag, index) => ({ key: keyOf(index), ...(isTag ? { tag: { digest, ageUs: 1 } } : {}) }));
      const withdraw = Array.from({ length: withdrawn }, (_, index) => keyOf(100 + index));
      const parts = partsOf({ complete, add, withdraw }, 1_500);
      assert.deepEqual(
        parts.flatMap((part) => part.add),
        add,
      );
      assert.deepEqual(
        parts.flatMap((part) => part.withdraw),
        withdraw,
      );
      assert.deepEqual(
        parts.map((part) => part.complete),
        parts.map((_, index) => complete && index === 0),
      );
      for (const part of parts) assert.equal(JSON.stringify(part).length < 1_500, true);
    }),
  );
});
