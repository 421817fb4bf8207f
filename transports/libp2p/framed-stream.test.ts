import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { errorCodeOf } from '../../core/index.ts';
import { createMessageSplitter } from './framed-stream.ts';
import { createHalfMessages } from './half-messages.ts';
import { writeVarint } from './wire.ts';

test('framing: messages come out whole and in order, however they were cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.map(framed));
      const got: string[] = [];
      const splitter = createMessageSplitter(1000, createHalfMessages(10_000));
      for (let at = 0, turn = 0; at < stream.byteLength; turn += 1) {
        const size = cuts[turn % cuts.length] ?? 1;
        splitter.push(stream.subarray(at, at + size), (message) => got.push(Buffer.from(message).toString('hex')));
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
  const splitter = createMessageSplitter(1000, createHalfMessages(10_000));
  const head = new Uint8Array(5);
  const end = writeVarint(head, 0, 1001);
  assert.throws(
    () => {
      splitter.push(head.subarray(0, end), () => assert.fail('no message'));
    },
    (thrown) => errorCodeOf(thrown) === 'RECORDS_INVALID',
  );
  assert.throws(
    () => {
      createMessageSplitter(1000, createHalfMessages(10_000)).push(new Uint8Array(5).fill(0xff), () =>
        assert.fail('no message'),
      );
    },
    (thrown) => errorCodeOf(thrown) === 'RECORDS_INVALID',
  );
});

test('framing: what is kept of half messages is what they hold, is bounded for all streams together, and ends with them', () => {
  const halfMessages = createHalfMessages(1_500);
  const none = (): void => assert.fail('no message');
  const splitters = [1, 2].map(() => createMessageSplitter(1000, halfMessages));
  const half = framed(new Uint8Array(1000)).subarray(0, 700);
  for (const splitter of splitters) splitter.push(half, none);
  assert.equal(halfMessages.keptBytes(), 1_400);
  const third = createMessageSplitter(1000, halfMessages);
  assert.throws(
    () => {
      third.push(half, none);
    },
    (thrown) => errorCodeOf(thrown) === 'OVERLOADED',
  );
  assert.equal(halfMessages.keptBytes(), 1_400);
  splitters[0]?.drop();
  assert.equal(halfMessages.keptBytes(), 700);
  let messages = 0;
  splitters[1]?.push(framed(new Uint8Array(1000)).subarray(700), () => (messages += 1));
  assert.deepEqual([messages, halfMessages.keptBytes()], [1, 0]);
});

test('framing: a message in single bytes takes twice its size at most while it arrives', () => {
  const halfMessages = createHalfMessages(2_010);
  const splitter = createMessageSplitter(1000, halfMessages);
  const got: Uint8Array[] = [];
  for (const byte of framed(new Uint8Array(1000).fill(7))) {
    splitter.push(Uint8Array.of(byte), (message) => got.push(message));
    assert.ok(halfMessages.keptBytes() <= 1_002, String(halfMessages.keptBytes()));
  }
  assert.deepEqual(got, [new Uint8Array(1000).fill(7)]);
});

function framed(message: Uint8Array): Buffer {
  const head = new Uint8Array(5);
  return Buffer.concat([head.subarray(0, writeVarint(head, 0, message.byteLength)), message]);
}
