import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { createSuspicion } from './suspicion.ts';

const limits = { suspicionWindowUs: 60_000_000, servedMemoryMax: 2 };
const suspicion = () => {
  const clock = createVirtualClock();
  return { clock, ...createSuspicion(clock, limits) };
};

test('suspicion: who gave bytes that are asked for again is under it, and nobody else', () => {
  const size = 6;
  for (let start = 0; start < size; start += 1)
    for (let end = start; end <= size; end += 1) {
      const s = suspicion();
      s.delivered('d', start, end, ['a', 'b']);
      for (let from = 0; from < size; from += 1)
        for (let to = from + 1; to <= size; to += 1) {
          const overlaps = start < end && from < end && start < to;
          assert.deepEqual([...s.suspects('d', `bytes=${from}-${to - 1}`)], overlaps ? ['a', 'b'] : []);
        }
      assert.equal(s.suspects('d', undefined).size, start < end ? 2 : 0);
      assert.equal(s.suspects('e', undefined).size, 0);
    }
});

test('suspicion: a suffix may mean any byte that was seen near the end', () => {
  const s = suspicion();
  s.delivered('d', 50, 100, ['a']);
  assert.equal(s.suspects('d', 'bytes=-1').size, 1);
});

test('suspicion: lasts a minute', async () => {
  const s = suspicion();
  s.delivered('d', 0, 10, ['a']);
  await s.clock.advance(limits.suspicionWindowUs - 1);
  assert.equal(s.suspects('d', undefined).size, 1);
  await s.clock.advance(1);
  assert.equal(s.suspects('d', undefined).size, 0);
});

test('suspicion: what is remembered is bounded', () => {
  const s = suspicion();
  for (const digest of ['d', 'e', 'f']) s.delivered(digest, 0, 1, ['a']);
  assert.equal(s.suspects('d', undefined).size, 0);
  for (let at = 0; at < 100; at += 1) s.delivered('g', at, at + 1, [`s${at}`]);
  assert.equal(s.suspects('g', undefined).size, 16);
});
