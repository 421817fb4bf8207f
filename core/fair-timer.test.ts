import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scheduleFair } from './fair-timer.ts';
import type { Clock } from './ports/index.ts';

/** One timer, which comes when it is told to. */
function lateClock() {
  const state: { nowUs: number; due: (() => void) | undefined; dueUs: number } = { nowUs: 0, due: undefined, dueUs: 0 };
  const clock: Clock = {
    nowUs: () => state.nowUs,
    wallUs: () => state.nowUs,
    schedule: (delayUs, callback) => {
      state.due = callback;
      state.dueUs = state.nowUs + delayUs;
      return { cancel: () => (state.due = undefined) };
    },
  };
  const fire = (atUs: number): void => {
    state.nowUs = atUs;
    const { due } = state;
    state.due = undefined;
    due?.();
  };
  return { clock, fire, state };
}

test('fair timer: one that is late by more than a busy loop gives the time anew, once', () => {
  for (const [firesUs, calls] of [
    [[500_000], 1],
    [[600_000], 1],
    [[600_001], 0],
    [[5_000_000, 5_500_000], 1],
    [[5_000_000, 20_000_000], 1],
  ] as const) {
    const { clock, fire, state } = lateClock();
    let called = 0;
    scheduleFair(clock, 500_000, () => (called += 1));
    for (const atUs of firesUs) fire(atUs);
    assert.equal(called, calls, String(firesUs));
    if (calls === 0) assert.equal(state.dueUs, 1_100_001);
  }
});

test('fair timer: cancelled is cancelled, in its second time too', () => {
  const { clock, fire } = lateClock();
  const timer = scheduleFair(clock, 500_000, () => assert.fail('called back'));
  fire(5_000_000);
  timer.cancel();
  fire(6_000_000);
});
