import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { drawScenario } from '../draw/draw-scenario.ts';
import { drawScene } from '../draw/draw-scene.ts';
import { checkFaults } from './check-faults.ts';
import { faultTable } from './fault-table.ts';

const fault = { atUs: 0, target: 0, what: { kind: 'crash' }, untilUs: 1 };

for (const [sentence, change] of [
  [`faults[0].atUs: -1 is no time: microseconds, from 0`, { atUs: -1 }],
  [`faults[0].untilUs: 3 is no time after 5`, { atUs: 5, untilUs: 3 }],
  [`faults[0].target: 3 is no node: 0 to 2, or "upstream"`, { target: 3 }],
  [`faults[0].target: crash happens to nodes, not to the upstream`, { target: 'upstream' }],
  [`faults[0].what: 7 is no kind of fault`, { what: 7 }],
  [`faults[0].what.times: there is no such argument`, { what: { kind: 'crash', times: 2 } }],
  [`faults[0].what.times: 0 is no number above 0`, { what: { kind: 'slow-cpu', times: 0 } }],
  [`faults[0].what.with: [0,3] is no list of nodes from 0 to 2`, { what: { kind: 'cut', with: [0, 3] } }],
  [`faults[0].what.way: "up" is not one of "in", "out"`, { what: { kind: 'cut', with: [], way: 'up' } }],
  [`faults[0].what.fault.atByte: nothing is no whole number`, { what: { kind: 'http', fault: { kind: 'reset' } } }],
  [
    `faults[0].what.fault.kind: "late" is not one of fail, lag, truncate`,
    { what: { kind: 'names', fault: { kind: 'late' } } },
  ],
] as const) {
  test(`faults: ${sentence}`, () => {
    assert.equal(checkFaults([{ ...fault, ...change }], 3), sentence);
  });
}

test('faults: what is drawn is in order, and the same after it was written as JSON', () => {
  for (let seed = 0; seed < 300; seed += 1) {
    const isScene = seed % 3 === 0;
    const { cluster, faults } = isScene
      ? drawScene(seed)
      : drawScenario(seed, { size: seed % 2 === 0 ? 'small' : 'large' });
    assert.equal(checkFaults(faults, cluster.nodes), undefined);
    assert.deepEqual(JSON.parse(JSON.stringify(faults)), faults);
  }
});

test('faults: each kind has its line in the documentation', async () => {
  const page = await readFile(new URL('../../docs/reference/faults.md', import.meta.url), 'utf8');
  const missing = Object.keys(faultTable).filter((kind) => !new RegExp(`^\\| \`${kind}\` +\\|`, 'm').test(page));
  assert.deepEqual(missing, []);
});
