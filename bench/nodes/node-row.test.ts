import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesOf, pullLines } from './node-row.ts';
import type { Figures, NodeRow } from './node-row.ts';
import { isMet } from '../measurement.ts';

const definition: NodeRow = {
  row: 'D',
  rounds: 3,
  measure: () => Promise.reject(new Error('not called')),
  lines: pullLines('a pull', 1, 0),
};

function lines(ours: readonly Figures[], other: readonly Figures[]) {
  return linesOf(
    definition,
    new Map([
      ['ours', ours],
      ['other', other],
    ]),
    [],
  );
}

const good: Figures = { seconds: 0.5, succeeded: 100, fromUpstream: 0 };

test('rows on nodes: one failure of three shows, though the median is a success', () => {
  const [, succeeded, upstream] = lines([good, { seconds: 20, succeeded: 0, fromUpstream: 0.3 }, good], [good]);
  assert.ok(succeeded !== undefined && upstream !== undefined);
  assert.equal(isMet(succeeded), false);
  assert.equal(isMet(upstream), false);
});

test('rows on nodes: what ours could not do is not measured, and not met', () => {
  const [seconds] = lines([], [good]);
  assert.ok(seconds !== undefined);
  assert.equal(isMet(seconds), undefined);
  assert.equal(seconds.ratio, undefined);
});

test('rows on nodes: ours is compared within the round', () => {
  const [seconds, succeeded] = lines([good, { ...good, seconds: 1 }], [good, { ...good, seconds: 4 }]);
  assert.deepEqual([seconds?.ratio?.summary.min, seconds?.ratio?.summary.max], [0.25, 1]);
  assert.equal(succeeded?.ratio, undefined);
});
