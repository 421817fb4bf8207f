import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDeadline } from './abort.ts';
import { PeiliError } from './errors.ts';
import { createCountedSignal } from './testing/counted-signal.ts';
import { createVirtualClock } from './testing/virtual-clock.ts';

const late = (): PeiliError => new PeiliError('HEAD_TIMEOUT', 'late');
const never = (): Promise<never> => new Promise(() => undefined);

/** Ways in which a call under a deadline may end: what it rejects with, undefined for a result. */
const ends: readonly (readonly [string, () => Promise<string>, RegExp | undefined])[] = [
  ['a result', () => Promise.resolve('well'), undefined],
  ['a failure', () => Promise.reject(new Error('broken')), /broken/],
  [
    'a call that throws before it has a promise',
    () => {
      throw new Error('at once');
    },
    /at once/,
  ],
  ['no end', never, /late/],
];

for (const [what, call, reason] of ends) {
  test(`deadline: ${what} leaves no timer and no listener`, async () => {
    const clock = createVirtualClock();
    const parent = createCountedSignal();
    const result = clock.settle(withDeadline(clock, 1_000, parent.signal, late, call));
    if (reason === undefined) assert.equal(await result, 'well');
    else await assert.rejects(result, reason);
    assert.deepEqual([clock.pending(), parent.listeners()], [0, 0]);
  });
}

test('deadline: the parent ends it at once, also one that has ended before', async () => {
  const clock = createVirtualClock();
  const life = new AbortController();
  const running = withDeadline(clock, 1_000, life.signal, late, never);
  life.abort();
  await assert.rejects(running, { code: 'ABORTED' });
  await assert.rejects(withDeadline(clock, 1_000, life.signal, late, never), { code: 'ABORTED' });
  assert.equal(clock.pending(), 0);
});
