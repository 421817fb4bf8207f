import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { createPacedRendering } from './paced-rendering.ts';

/** A clock that only rendering moves, and real rests of milliseconds. */
function start(renderUs: number) {
  const state = { us: 0, gathered: 0, rendered: 0, heldUs: 0, from: performance.now() };
  const render = createPacedRendering({
    gather: () => Promise.resolve((state.gathered += 1)),
    render: (count) => {
      state.rendered += 1;
      state.heldUs += renderUs;
      return Buffer.from(String(count));
    },
    nowUs: () => Math.floor((performance.now() - state.from) * 1000) + state.heldUs,
  });
  return { state, render };
}

test('paced rendering: whoever asks again and again gets a tenth of the time', async () => {
  const { state, render } = start(5_000);
  while (performance.now() - state.from < 300) await render();
  // 5 ms of work, 45 ms of rest: without it there would be hundreds.
  assert.ok(state.rendered >= 1 && state.rendered <= 9, `${state.rendered} renderings`);
});

test('paced rendering: all who wait share one, and it knows all that was there when they asked', async () => {
  const { state, render } = start(5_000);
  const first = render();
  await first;
  const [one, other] = [render(), render()];
  assert.equal(state.gathered, 1, 'it rests');
  assert.deepEqual([String(await one), String(await other), state.rendered], ['2', '2', 2]);
});

test('paced rendering: one that fails is the failure of those who asked for it alone', async () => {
  const failure = new Error('no');
  const state = { fails: true };
  const render = createPacedRendering({
    gather: () => (state.fails ? Promise.reject(failure) : Promise.resolve('well')),
    render: (text) => Buffer.from(text),
    nowUs: () => 0,
  });
  await assert.rejects(render(), failure);
  state.fails = false;
  assert.equal(String(await render()), 'well');
});
