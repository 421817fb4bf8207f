import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeStall, receive, startFlow, waitFor } from './stall.ts';
import type { FlowState } from './stall.ts';

const limits = { stallTimeoutUs: 3, minimumRateBytesPerSecond: 1_000_000, minimumRateWindowUs: 4 };

test('stall: over every schedule of waits and chunks only waiting counts, exactly', () => {
  const walk = (state: FlowState, nowUs: number, waitedUs: number, bytes: number, depth: number): void => {
    assert.equal(state.waitedUs, waitedUs);
    assert.equal(state.bytes, bytes);
    if (depth === 0) return;
    for (const readerUs of [0, 5]) {
      const waiting = waitFor(state, nowUs + readerUs);
      for (const sourceUs of [0, 1, 2, 3, 4]) {
        const at = nowUs + readerUs + sourceUs;
        const verdict = judgeStall(waiting, at, limits);
        if (sourceUs >= limits.stallTimeoutUs) assert.deepEqual(verdict, { type: 'stalled', waitedUs: sourceUs });
        else assert.deepEqual(verdict, { type: 'look-again', inUs: limits.stallTimeoutUs - sourceUs });
        for (const chunk of [1, 8]) {
          const { slowBytesPerSecond, state: next } = receive(waiting, at, chunk, limits);
          assert.equal(judgeStall(next, at + 100, limits).type, 'idle', 'a chunk with the client is no stall');
          const countedUs = sourceUs > limits.stallTimeoutUs ? 0 : sourceUs;
          const windowUs = state.windowWaitedUs + countedUs;
          const whole = windowUs >= limits.minimumRateWindowUs;
          assert.equal(
            slowBytesPerSecond !== undefined,
            whole && state.windowBytes + chunk < windowUs,
            'slow: a whole window below one byte a microsecond',
          );
          assert.equal(next.windowWaitedUs, whole ? 0 : windowUs);
          walk(next, at, waitedUs + countedUs, bytes + chunk, depth - 1);
        }
      }
    }
  };
  walk(startFlow, 100, 0, 0, 3);
});

test('stall: before anything is waited for there is none', () => {
  assert.deepEqual(judgeStall(startFlow, 1e9, limits), { type: 'idle' });
  assert.equal(receive(startFlow, 1e9, 5, limits).state.waitedUs, 0);
});
