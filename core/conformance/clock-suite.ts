import type { Clock } from '../ports/index.ts';
import { createHarness } from './harness.ts';
import type { Manifest, Subject, SuiteTools } from './harness.ts';

export interface ClockSubject extends Subject {
  readonly clock: Clock;
}

export interface ClockSuiteOptions extends SuiteTools {
  readonly manifest: Manifest<never>;
  readonly factory: () => Promise<ClockSubject> | ClockSubject;
}

/** The laws of `Clock`. */
export function clockSuite({ manifest, factory, ...tools }: ClockSuiteOptions): void {
  const { assert, law, until, pause } = createHarness(tools, 'clock', manifest, factory);

  law('monotonic time is whole microseconds and never goes back', async ({ clock }) => {
    let last = clock.nowUs();
    for (let read = 0; read < 2_000; read += 1) {
      const now = clock.nowUs();
      assert.ok(Number.isSafeInteger(now) && now >= last, `${now} comes after ${last}`);
      last = now;
    }
    await until('time passes', () => clock.nowUs() > last);
  });

  law('wall time is whole microseconds since 1970', ({ clock }) => {
    const wallUs = clock.wallUs();
    assert.ok(
      Number.isSafeInteger(wallUs) && wallUs > 1_600_000_000_000_000 && wallUs < 4_000_000_000_000_000,
      `${wallUs} is of our time`,
    );
    return Promise.resolve();
  });

  for (const delayUs of [0, 1, 1_500, 20_000]) {
    law(
      `a timer of ${delayUs} us calls back once, not early, and never before schedule() has returned`,
      async ({ clock }) => {
        const calls: number[] = [];
        const fromUs = clock.nowUs();
        clock.schedule(delayUs, () => calls.push(clock.nowUs()));
        assert.equal(calls.length, 0);
        await until('it calls back', () => calls.length > 0);
        await pause();
        assert.equal(calls.length, 1);
        assert.ok((calls[0] ?? 0) >= fromUs + delayUs, 'it is not early');
      },
    );
  }

  law('timers call back in the order of their times', async ({ clock }) => {
    const calls: string[] = [];
    clock.schedule(30_000, () => calls.push('late'));
    clock.schedule(5_000, () => calls.push('early'));
    clock.schedule(15_000, () => calls.push('middle'));
    await until('all have called back', () => calls.length === 3);
    assert.deepEqual(calls, ['early', 'middle', 'late']);
  });

  law('a cancelled timer never calls back; cancelling is idempotent, also after the call', async ({ clock }) => {
    const calls: string[] = [];
    const cancelled = clock.schedule(2_000, () => calls.push('cancelled'));
    const other = clock.schedule(6_000, () => calls.push('other'));
    cancelled.cancel();
    cancelled.cancel();
    await until('the other has called back', () => calls.length > 0);
    other.cancel();
    assert.deepEqual(calls, ['other']);
  });

  law('a callback may cancel itself and others, and schedule', async ({ clock }) => {
    const calls: string[] = [];
    const victim = clock.schedule(20_000, () => calls.push('victim'));
    const own = clock.schedule(1_000, () => {
      calls.push('first');
      own.cancel();
      victim.cancel();
      clock.schedule(25_000, () => calls.push('second'));
    });
    await until('the second has called back', () => calls.includes('second'));
    assert.deepEqual(calls, ['first', 'second']);
  });

  law('a timer of 60 days waits', async ({ clock }) => {
    const calls: string[] = [];
    const timer = clock.schedule(60 * 24 * 3_600 * 1_000_000, () => calls.push('too early'));
    for (let pauses = 0; pauses < 5; pauses += 1) await pause();
    timer.cancel();
    assert.deepEqual(calls, []);
  });
}
