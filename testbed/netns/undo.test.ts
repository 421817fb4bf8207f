import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { allOf, undoAfter, undoAll } from './undo.ts';

test('undo: the last first, all of it even when a step fails, and once', async () => {
  const done: string[] = [];
  const step = (name: string) => (): Promise<void> => {
    done.push(name);
    return name === 'second' ? Promise.reject(new Error('stuck')) : Promise.resolve();
  };
  const steps = ['first', 'second', 'third'].map(step);
  await assert.rejects(undoAll(steps), /stuck/);
  assert.deepEqual(done, ['third', 'second', 'first']);
  await undoAll(steps);
  assert.equal(done.length, 3);
});

test('undo: the failure before it is what is told, with what failed in undoing', async () => {
  const failure = new Error('no containerd');
  await assert.rejects(undoAfter(failure, []), failure);
  const stuck = (): Promise<void> => Promise.reject(new Error('stuck'));
  await assert.rejects(undoAfter(failure, [stuck]), (error) => {
    return error instanceof AggregateError && /no containerd/.test(error.message) && error.errors.length === 2;
  });
});

test('undo: nothing goes on behind the back of who cleans up', async () => {
  const slow = Promise.withResolvers<string>();
  const all = allOf([Promise.reject<string>(new Error('first')), slow.promise]);
  const state = { ended: false };
  all.catch(() => (state.ended = true));
  await nextTurn();
  assert.equal(state.ended, false);
  slow.resolve('done');
  await assert.rejects(all, /first/);
});
