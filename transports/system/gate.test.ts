import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createGate } from './gate.ts';

test('gate: never more inside than it lets in, nobody left outside, first come first served', async () => {
  const gate = createGate(3);
  const state = { inside: 0, most: 0 };
  const order: number[] = [];
  const visit = async (number: number): Promise<void> => {
    await gate.enter();
    order.push(number);
    state.inside += 1;
    state.most = Math.max(state.most, state.inside);
    await new Promise((resolve) => setImmediate(resolve));
    state.inside -= 1;
    gate.leave();
  };
  const numbers = Array.from({ length: 20 }, (_, number) => number);
  await Promise.all(numbers.map(visit));
  await Promise.all(numbers.map(visit));
  assert.equal(state.most, 3);
  assert.deepEqual(order, [...numbers, ...numbers]);
});
