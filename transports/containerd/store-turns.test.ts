import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitsWith } from '../../core/index.ts';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import type { StoreQuestions } from './store-reader.ts';
import { createStoreTurns } from './store-turns.ts';

const digestOf = (at: number): string => `sha256:${String(at).padStart(64, '0')}`;

/** Turns over a containerd in which nothing ever settles, and which takes its time for questions and lists: what they asked. */
function start(readUs = 0, listUs = 0, isWatching = true) {
  const clock = createVirtualClock();
  const limits = limitsWith({ reconcileIntervalUs: 3_600_000_000 });
  const state = { lists: 0, asked: [] as string[] };
  const reader = {
    readAll: () => {
      state.lists += 1;
      return new Promise<void>((resolve) => void clock.schedule(listUs, resolve));
    },
    readSome: ({ digests }: StoreQuestions) => {
      state.asked.push(...digests);
      return new Promise<void>((resolve) => void clock.schedule(readUs, resolve));
    },
    unsettled: (digests: ReadonlySet<string>) => Promise.resolve([...digests]),
  };
  const onRead = (): void => undefined;
  const turns = createStoreTurns({ clock, reader, isWatching: () => isWatching, onRead }, limits);
  turns.resume(new AbortController().signal, (error) => assert.fail(String(error)));
  return { clock, state, turns };
}

test('turns: what is unsettled is asked about again, less and less often, and then no more', async () => {
  const { clock, state, turns } = start();
  await clock.settle(turns.readAll());
  turns.contentChanged(digestOf(1));
  await clock.advance(60_000_000);
  assert.equal(state.asked.length, 6);
  turns.close();
});

test('turns: what a list came before takes no place among what is asked about again', async () => {
  const { clock, state, turns } = start(100_000, 500_000);
  for (let burst = 0; burst < 20; burst += 1) {
    await clock.settle(turns.readAll());
    // While the first is asked about, so many come that everything is to be listed, which rests: they are asked about all the same.
    const first = burst * 100;
    turns.contentChanged(digestOf(first));
    await clock.advance(30_000);
    for (let at = 1; at < 41; at += 1) turns.contentChanged(digestOf(first + at));
    await clock.advance(30_000);
    for (let at = 41; at < 100; at += 1) turns.contentChanged(digestOf(first + at));
    await clock.advance(60_000_000);
  }
  state.asked.length = 0;
  for (let at = 0; at < 60; at += 1) turns.contentChanged(digestOf(9000 + at));
  await clock.advance(60_000_000);
  assert.equal(state.asked.length, 60 * 6, `${state.lists} lists`);
  turns.close();
});

for (const isWatching of [true, false]) {
  test(`turns: an image that changes is ${isWatching ? 'not ' : ''}followed by a list where files tell ${isWatching ? '' : 'not '}what else changes`, async () => {
    const { clock, state, turns } = start(0, 0, isWatching);
    await clock.settle(turns.readAll());
    turns.imageChanged('r.example/a:1');
    await clock.advance(60_000_000);
    assert.equal(state.lists, isWatching ? 1 : 2);
    turns.close();
  });
}

test('turns: after a list comes four times its duration of rest, whatever changes', async () => {
  const { clock, state, turns } = start(0, 500_000);
  await clock.settle(turns.readAll());
  state.lists = 0;
  for (let passedUs = 0; passedUs < 25_000_000; passedUs += 100_000) {
    turns.somethingChanged(0);
    await clock.advance(100_000);
  }
  assert.ok(state.lists >= 9 && state.lists <= 11, `${state.lists} lists in 25 s, each 0.5 s long`);
  turns.close();
});
