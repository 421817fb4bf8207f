import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { errorCodeOf } from '../../core/index.ts';
import { createMessageSplitter } from './framed-stream.ts';
import { writeVarint } from './wire.ts';

test('framing: messages come out whole and in order, however they were cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.map(framed));
      const got: string[] = [];
      const split = createMessageSplitter(1000);
      for (let at = 0, turn = 0; at < stream.byteLength; turn += 1) {
        const size = cuts[turn % cuts.length] ?? 1;
        split(stream.subarray(at, at + size), (message) => got.push(Buffer.from(message).toString('hex')));
        at += size;
      }
      assert.deepEqual(
        got,
        sent.map((message) => Buffer.from(message).toString('hex')),
      );
    }),
  );
});

test('framing: a message above the limit is refused before it has arrived', () => {
  const split = createMessageSplitter(1000);
  const head = new Uint8Array(5);
  const end = writeVarint(head, 0, 1001);
  assert.throws(
    () => {
      split(head.subarray(0, end), () => assert.fail('no message'));
    },
    (thrown) => errorCodeOf(thrown) === 'RECORDS_INVALID',
  );
  assert.throws(
    () => {
      createMessageSplitter(1000)(new Uint8Array(5).fill(0xff), () => assert.fail('no message'));
    },
    (thrown) => errorCodeOf(thrown) === 'RECORDS_INVALID',
  );
});

function framed(message: Uint8Array): Buffer {
  const head = new Uint8Array(5);
  return Buffer.concat([head.subarray(0, writeVarint(head, 0, message.byteLength)), message]);
}
