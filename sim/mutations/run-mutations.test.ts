import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runMutations } from './run-mutations.ts';

/** Nothing here stands still. */
const clock = {
  nowUs: () => Math.floor(performance.now() * 1_000),
  schedule: () => ({ cancel: () => undefined }),
};

test('mutations: bugs are killed by the laws that the catalogue names, and the same runs are silent without them', async () => {
  const results = await runMutations({ clock, only: ['M4', 'M11', 'M13', 'M24'], shrink: false });
  assert.deepEqual(
    results.map(({ name, fate, seedsTried }) => [name, fate, seedsTried]),
    [
      ['M4', 'killed', 1],
      ['M11', 'killed', 1],
      ['M13', 'killed', 1],
      ['M24', 'killed', 1],
    ],
  );
  assert.ok(results.every(({ cpuUs }) => cpuUs > 0));
});

test('mutations: drawn runs find a bug as well, and make its run small', async () => {
  const [result] = await runMutations({ clock, only: ['dragonfly-1848'], drawn: true });
  assert.deepEqual([result?.fate, result?.violation?.oracle], ['killed', 'bytesAreTheContents']);
  assert.ok((result?.seedsTried ?? Infinity) < 60 && (result?.scenario.cluster.nodes ?? Infinity) <= 3);
});

test('mutations: one that is not there is an error that names those that are', async () => {
  await assert.rejects(runMutations({ clock, only: ['M99'] }), /no mutation M99: there are .*M4/);
});
