import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawScenario } from '../draw/draw-scenario.ts';
import { drawScene } from '../draw/draw-scene.ts';
import { simulate } from '../run/simulate.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { hunt } from './hunt.ts';
import { shrinkScenario } from './shrink-scenario.ts';
import { huntedScenario } from './try-seed.ts';

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

test('hunt: ties that are decided the other way are drawn, and of those that are kept each is needed', async () => {
  const drawn = Array.from({ length: 200 }, (_, seed) => huntedScenario(seed).swaps ?? []);
  assert.ok(drawn.filter((swaps) => swaps.length > 1).length > 10);
  const scenario = { ...drawScene(1), swaps: [3, 5, 8, 13] };
  const shows = ({ swaps }: Scenario): Promise<boolean> => Promise.resolve(swaps?.includes(8) === true);
  assert.deepEqual((await shrinkScenario(scenario, shows)).swaps, [8]);
});

test('draw: a seed is a scenario, another one another', () => {
  assert.deepEqual(drawScenario(7), drawScenario(7));
  assert.notDeepEqual(drawScenario(7), drawScenario(8));
});
