import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeiliError } from '../../core/index.ts';
import { createIncomingBody } from './incoming-body.ts';

const nothing = new Uint8Array(0);
const lost = new PeiliError('PEER_CLOSED', 'lost');

function setUp(lengthBytes: number, early: Uint8Array = nothing) {
  const calls: string[] = [];
  const incoming = createIncomingBody(
    { onWanted: () => void calls.push('wanted'), onEnd: (whole) => void calls.push(whole ? 'whole' : 'parted') },
    lengthBytes,
    early,
  );
  return { ...incoming, calls };
}

test('incoming body: what came with the head is given out first, then bytes are wanted one chunk at a time', async () => {
  const { body, take, calls } = setUp(5, Uint8Array.of(1, 2));
  assert.deepEqual((await body.next()).value, Uint8Array.of(1, 2));
  assert.deepEqual(calls, []);
  const next = body.next();
  assert.deepEqual(calls, ['wanted']);
  take(Uint8Array.of(3, 4, 5));
  assert.deepEqual((await next).value, Uint8Array.of(3, 4, 5));
  assert.deepEqual(calls, ['wanted']);
  assert.equal((await body.next()).done, true);
  assert.deepEqual(calls, ['wanted', 'whole']);
});

test('incoming body: a lost connection does not take back a chunk that is borrowed', async () => {
  const { body, take, fail, calls } = setUp(5);
  const next = body.next();
  take(Uint8Array.of(1));
  await next;
  fail(lost);
  assert.deepEqual(calls, ['wanted']);
  await assert.rejects(body.next(), { code: 'PEER_CLOSED' });
  assert.deepEqual(calls, ['wanted', 'parted']);
});

test('incoming body: a connection that is lost after all bytes has done its work', async () => {
  const { body, fail, calls } = setUp(1, Uint8Array.of(1));
  fail(lost);
  assert.equal((await body.next()).done, false);
  assert.equal((await body.next()).done, true);
  assert.deepEqual(calls, ['whole']);
});

test('incoming body: an abort ends it at once, and no clean end comes after', async () => {
  const { body, take, abort, calls } = setUp(5);
  const next = body.next();
  take(Uint8Array.of(1));
  await next;
  abort(new PeiliError('HEAD_TIMEOUT', 'x'));
  assert.deepEqual(calls, ['wanted', 'parted']);
  await assert.rejects(body.next(), { code: 'HEAD_TIMEOUT' });
  assert.equal((await body.return()).done, true);
  assert.deepEqual(calls, ['wanted', 'parted']);
});
