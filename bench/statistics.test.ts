import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile, ratios, summarize } from './statistics.ts';

test('statistics: the median of an even number is the mean of the two in the middle', () => {
  assert.equal(percentile([4, 1, 3, 2], 50), 2.5);
  assert.equal(percentile([3, 1, 2], 50), 2);
});

test('statistics: a percentile is a value that was measured', () => {
  const values = Array.from({ length: 1000 }, (_, index) => 1000 - index);
  assert.equal(percentile(values, 99), 990);
  assert.equal(percentile([7], 99), 7);
  assert.equal(percentile(values, 100), 1000);
});

test('statistics: a summary keeps the extremes', () => {
  assert.deepEqual(summarize([5, 1, 9]), { median: 5, min: 1, max: 9, count: 3 });
});

test('statistics: a ratio compares within its round', () => {
  assert.deepEqual(ratios([1, 4], [2, 4]), [0.5, 1]);
});
