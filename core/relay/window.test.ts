import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTimeForNext, nextWindow } from './window.ts';

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('window: for every place it begins there, is not empty, and passes neither the body, the size, nor a failure', () => {
  for (const offset of range(9))
    for (const bodyEnd of [...range(12).filter((end) => end > offset), Infinity])
      for (const failedAt of [...range(12).filter((at) => at > offset), undefined])
        for (const windowBytes of [1, 3, 8]) {
          const window = nextWindow(offset, bodyEnd, failedAt, windowBytes);
          assert.equal(window.start, offset);
          assert.equal(window.end, Math.min(offset + windowBytes, bodyEnd, failedAt ?? Infinity));
          assert.ok(window.end > window.start);
        }
});

test('window: the next is asked for in the lead before the end, and never past the body', () => {
  for (const windowBytes of [3, 8])
    for (const windowLeadBytes of [0, 1, 4])
      for (const bodyEnd of [8, 9, 20])
        for (const offset of range(windowBytes + 1)) {
          const windowEnd = Math.min(windowBytes, bodyEnd);
          const expected = windowEnd < bodyEnd && offset >= windowEnd - windowLeadBytes;
          assert.equal(isTimeForNext(offset, windowEnd, bodyEnd, { windowLeadBytes }), expected);
        }
});
