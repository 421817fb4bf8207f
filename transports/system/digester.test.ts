import { test } from 'node:test';
import assert from 'node:assert/strict';
import { errorCodeOf } from '../../core/index.ts';
import { createDigester } from './digester.ts';

test('digester: hashing a large body leaves the loop free', async () => {
  const digester = createDigester();
  const stream = digester.stream('sha256');
  const chunk = new Uint8Array(new SharedArrayBuffer(32 << 20));
  await stream.update(chunk.subarray(0, 1));
  const state = { settled: false, turns: 0 };
  const hashing = stream.update(chunk).then(() => {
    state.settled = true;
  });
  while (!state.settled) {
    state.turns += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await hashing;
  assert.ok(state.turns > 20, `the loop turned ${state.turns} times meanwhile`);
  stream.cancel();
  await digester.dispose();
});

test('digester: dispose() rejects what is not finished; a later stream works', async () => {
  const digester = createDigester();
  const stream = digester.stream('sha256');
  const pending = stream.update(new Uint8Array(1 << 20));
  await Promise.all([assert.rejects(pending, (error) => errorCodeOf(error) === 'ABORTED'), digester.dispose()]);
  await assert.rejects(stream.finish(), (error) => errorCodeOf(error) === 'ABORTED');
  await digester.dispose();
  assert.equal(digester.pending(), 0);
  const later = digester.stream('sha256');
  assert.match(await later.finish(), /^sha256:e3b0c442/);
  await digester.dispose();
});

test('digester: symbols are refused, not hashed as something else', async () => {
  const digester = createDigester();
  const stream = digester.stream('sha256');
  const symbol = { byteLength: 3, subarray: () => symbol };
  await assert.rejects(stream.update(symbol), TypeError);
  stream.cancel();
  await digester.dispose();
});
