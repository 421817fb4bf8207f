import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawScenario } from '../draw/draw-scenario.ts';
import { simulate } from '../run/simulate.ts';
import { hunt } from './hunt.ts';
import { shrinkScenario } from './shrink-scenario.ts';

test('hunt: some seeds, none of which breaks a law', async () => {
  const { found, tried } = await hunt({ firstSeed: 1, goesOn: (count) => count < 12, checkEvery: 4 });
  assert.deepEqual(found, []);
  assert.equal(tried, 12);
});

test('hunt: what another oracle calls broken is found, and is small when it is told', async () => {
  const scenario = drawScenario(3);
  const shows = async (smaller: typeof scenario): Promise<boolean> => {
    const { pulls } = await simulate(smaller, { seed: 3, drain: 'tick' });
    return pulls.length > 0;
  };
  const { cluster, faults, images, workload } = await shrinkScenario(scenario, shows);
  assert.deepEqual([faults.length, workload.length, images.length, cluster.nodes], [0, 1, 1, 1]);
});

test('draw: a seed is a scenario, another one another', () => {
  assert.deepEqual(drawScenario(7), drawScenario(7));
  assert.notDeepEqual(drawScenario(7), drawScenario(8));
});
