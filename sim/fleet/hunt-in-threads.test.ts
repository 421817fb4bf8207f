import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostClock } from './hunt-thread.ts';
import { huntInThreads } from './hunt-in-threads.ts';

/** A clock whose time is how often it was looked at: what a machine is like today decides nothing. */
function countingClock(): HostClock {
  const state = { nowUs: 0 };
  return {
    nowUs: () => (state.nowUs += 1),
    schedule: () => ({ cancel: () => undefined }),
  };
}

test('hunt in threads: seeds are shared, each is tried once, and some of them twice', async () => {
  const progress: number[] = [];
  const { checked, failing, found, probes, tried } = await huntInThreads({
    clock: countingClock(),
    budgetUs: 1_000_000,
    seedsMax: 6,
    checkEvery: 3,
    workers: 2,
    onProgress: (each) => progress.push(each.tried),
  });
  assert.deepEqual({ checked, failing, found, tried }, { checked: 2, failing: 0, found: [], tried: 6 });
  assert.deepEqual(progress, [1, 2, 3, 4, 5, 6]);
  assert.ok(probes.some(({ name, runs }) => name === 'nobody has it' && runs > 0));
});

test('hunt in threads: a hunt that is called off tells what is known, and leaves no thread', async () => {
  const stop = new AbortController();
  const { tried } = await huntInThreads({
    clock: countingClock(),
    budgetUs: Number.MAX_SAFE_INTEGER,
    signal: stop.signal,
    onProgress: ({ tried: count }) => {
      if (count === 3) stop.abort();
    },
  });
  assert.equal(tried, 3);
});
