import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../../core/index.ts';
import { createStandstill } from './watchdog-worker.ts';
import { startWatchdog } from './watchdog.ts';

const times = { tickMs: 250, standstillMs: 3000, lastWordsMs: 400 };

/** Looks that are `tickMs` apart but for the named ones; when it was called a standstill, in ticks. */
function firstStandstill(
  beatsAt: (tick: number) => number,
  latenessMs: (tick: number) => number = () => 0,
  waitedMs: (tick: number) => number = () => 0,
): number {
  const standstill = createStandstill(times, 0);
  let nowMs = 0;
  for (let tick = 1; tick <= 100; tick += 1) {
    nowMs += times.tickMs + latenessMs(tick);
    if (standstill.look(nowMs, beatsAt(tick), waitedMs(tick))) return tick;
  }
  return 0;
}

test('watchdog: a standstill is three seconds of looks without a beat', () => {
  // The first look sees the last beat; twelve more are 3 s.
  assert.equal(
    firstStandstill(() => 1),
    13,
  );
});

test('watchdog: one beat in 2.9 s is enough', () => {
  assert.equal(
    firstStandstill((tick) => Math.floor(tick / 11)),
    0,
  );
});

test('watchdog: a look that comes late proves nothing: the process was stopped, or the machine starved', () => {
  const stopMs = 60_000;
  assert.equal(
    firstStandstill(
      (tick) => (tick < 20 ? tick : tick - 1),
      (tick) => (tick === 20 ? stopMs : 0),
    ),
    0,
    'stopped and continued',
  );
  assert.equal(
    firstStandstill(
      () => 1,
      () => times.tickMs,
    ),
    0,
    'always late',
  );
});

test('watchdog: a main thread that waits for a processor does not stand still; what it runs in between counts', () => {
  const stands = (waitedMs: (tick: number) => number): number =>
    firstStandstill(
      () => 1,
      () => 0,
      waitedMs,
    );
  assert.equal(
    stands((tick) => tick * times.tickMs),
    0,
    'it got none',
  );
  assert.equal(
    stands((tick) => (tick * times.tickMs) / 2),
    25,
    'it got every other moment',
  );
  assert.equal(
    stands((tick) => (tick - (tick % 8)) * times.tickMs),
    0,
    'told of every two seconds',
  );
  assert.equal(
    stands((tick) => (tick % 2 === 1 ? 1e6 : 0)),
    13,
    'not to be read every other time',
  );
});

test('watchdog: it ends when it is told to, and may be held before', { timeout: 10_000 }, async () => {
  const failures: string[] = [];
  const watchdog = startWatchdog({ limits: defaultLimits, onFailure: (reason) => failures.push(reason) });
  const release = watchdog.hold();
  release();
  release();
  await watchdog.dispose();
  await watchdog.dispose();
  assert.deepEqual(failures, []);
});
