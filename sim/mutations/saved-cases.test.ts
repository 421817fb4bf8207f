import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { mutations } from './catalogue/all.ts';
import { caseFileOf } from './saved-case.ts';
import type { MutationCase } from './saved-case.ts';

const folder = new URL('../cases/', import.meta.url);
const cases = readdirSync(folder)
  .filter((file) => file.startsWith('mutation-'))
  .map((file) => ({ file, saved: JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as MutationCase }));

test('cases: every planted bug has one, of at most three peers and three faults', () => {
  const names = mutations.map(({ name }) => name).toSorted();
  assert.deepEqual(cases.map(({ saved }) => saved.mutation).toSorted(), names);
  for (const { file, saved } of cases) {
    assert.equal(file, caseFileOf(saved));
    const { cluster, faults } = saved.scenario;
    assert.ok(cluster.nodes <= 4 && faults.length <= 3, `${file}: ${cluster.nodes} nodes, ${faults.length} faults`);
  }
});
