import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import { createDeadline } from './deadline.ts';

test('deadline: expires at the time that was set last, later or earlier than before', async () => {
  const clock = createVirtualClock(0);
  const expired: number[] = [];
  const deadline = createDeadline(clock, () => expired.push(clock.nowUs()));
  deadline.set(100);
  await clock.advance(50);
  deadline.set(100);
  await clock.advance(99);
  assert.deepEqual(expired, []);
  await clock.advance(1);
  assert.deepEqual(expired, [150]);
  deadline.set(1000);
  deadline.set(10);
  await clock.advance(2000);
  assert.deepEqual(expired, [150, 160]);
});

test('deadline: cleared it does not expire, closed it leaves no timer', async () => {
  const clock = createVirtualClock(0);
  const expired: number[] = [];
  const deadline = createDeadline(clock, () => expired.push(clock.nowUs()));
  deadline.set(100);
  deadline.clear();
  await clock.advance(200);
  deadline.set(100);
  deadline.close();
  deadline.set(100);
  assert.equal(clock.pending(), 0);
  await clock.advance(200);
  assert.deepEqual(expired, []);
});

test('deadline: moving it later, over and over, makes no timers', () => {
  const clock = createVirtualClock(0);
  const counted = { schedules: 0 };
  const counting = {
    ...clock,
    schedule: (delayUs: number, callback: () => void) => {
      counted.schedules += 1;
      return clock.schedule(delayUs, callback);
    },
  };
  const deadline = createDeadline(counting, () => undefined);
  for (let count = 0; count < 1000; count += 1) {
    deadline.set(1000 + count);
    deadline.clear();
  }
  assert.equal(counted.schedules, 1);
});
