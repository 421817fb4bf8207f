import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareCandidates } from './source-order.ts';
import type { Candidate } from './source-order.ts';

const grid: readonly Candidate[] = [true, false].flatMap((sameZone) =>
  [true, false].flatMap((demoted) =>
    [undefined, 0, 1_000, 1e6, 1e8, 2e8].flatMap((speedBytesPerSecond) =>
      [undefined, 0, 2].flatMap((freeSlots) =>
        [undefined, 0, 5].flatMap((tagAgeUs) =>
          [1, 2].map((rank) => ({ sameZone, demoted, speedBytesPerSecond, freeSlots, tagAgeUs, rank })),
        ),
      ),
    ),
  ),
);

test('order: total, antisymmetric and transitive on the whole grid', () => {
  const sorted = [...grid].sort(compareCandidates);
  // Sorted, every earlier one is not after any later one: with antisymmetry that is transitivity on all triples.
  sorted.forEach((a, index) => {
    for (const b of sorted.slice(index)) {
      assert.ok(compareCandidates(a, b) <= 0, 'an order that is no order');
      assert.equal(Math.sign(compareCandidates(a, b)), -Math.sign(compareCandidates(b, a)) + 0);
    }
  });
  assert.deepEqual(
    [...grid]
      .reverse()
      .sort(compareCandidates)
      .map((c) => compareCandidates(c, c)),
    grid.map(() => 0),
  );
});

test('order: failures first, then a fresher tag, the zone, the speed, free slots', () => {
  const plain: Candidate = {
    sameZone: false,
    demoted: false,
    speedBytesPerSecond: undefined,
    freeSlots: undefined,
    tagAgeUs: undefined,
    rank: 1,
  };
  const before = (a: Partial<Candidate>, b: Partial<Candidate>): void => {
    assert.ok(compareCandidates({ ...plain, ...a }, { ...plain, ...b, rank: 0 }) < 0);
  };
  before({}, { demoted: true, tagAgeUs: 0, sameZone: true, freeSlots: 9 });
  before({ tagAgeUs: 1 }, { tagAgeUs: 2, sameZone: true });
  before({ tagAgeUs: 1 }, {});
  before({ sameZone: true, speedBytesPerSecond: 1 }, { speedBytesPerSecond: 1e9 });
  before({ speedBytesPerSecond: 1e8 }, { speedBytesPerSecond: 1e6, freeSlots: 5 });
  before({}, { speedBytesPerSecond: 1e6 });
  before({ freeSlots: 1 }, { freeSlots: 0 });
  before({}, { freeSlots: 0 });
});

test('order: noise in speed decides nothing', () => {
  const at = (speedBytesPerSecond: number, rank: number): Candidate => ({
    sameZone: true,
    demoted: false,
    speedBytesPerSecond,
    freeSlots: undefined,
    tagAgeUs: undefined,
    rank,
  });
  assert.ok(compareCandidates(at(100e6, 1), at(900e6, 2)) < 0);
  assert.ok(compareCandidates(at(1.1e6, 1), at(1.2e6, 2)) < 0);
});
