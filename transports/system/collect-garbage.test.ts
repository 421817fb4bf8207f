import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { collectGarbage } from './collect-garbage.ts';

test('garbage: what nobody holds is given back at once, without a flag', async () => {
  const held = new Uint8Array(1024);
  const kept = new WeakRef(held);
  const dropped = new WeakRef(new Uint8Array(1024));
  // A weak reference holds until the end of the turn that made it.
  await setImmediate();
  collectGarbage();
  assert.deepEqual([kept.deref(), dropped.deref()], [held, undefined]);
});
