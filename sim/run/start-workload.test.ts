import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readScenario } from '../scenario/read-scenario.ts';
import type { ScenarioText } from '../scenario/scenario-schema.ts';
import { simulate } from './simulate.ts';

const image = { name: 'docker.io/library/app:1', layers: '5MB' };
const rollout = (pulls: ScenarioText['workload'][number], more: Partial<ScenarioText> = {}) =>
  readScenario({ cluster: { nodes: 4 }, images: [image], workload: [pulls], ...more }).scenario;

test('workload: of a rolling update the next pull begins when the one before it in its lane has ended, and so much later', async () => {
  const scenario = rollout({ pull: image.name, atOnce: 2, every: '7s', at: '1s' });
  const { pulls } = await simulate(scenario, { policy: 'noMirror', drain: 'tick' });
  const [a, b, c, d] = pulls.map(({ startUs, tookUs }) => ({ startUs, endUs: startUs + (tookUs ?? 0) }));
  assert.deepEqual([a?.startUs, b?.startUs], [1_000_000, 1_000_000]);
  assert.deepEqual([c?.startUs, d?.startUs], [(a?.endUs ?? 0) + 7_000_000, (b?.endUs ?? 0) + 7_000_000]);
});

test('workload: jitter is drawn for each seed and each pull, within its bound', async () => {
  const scenario = rollout({ pull: image.name, at: '1s', jitter: '2s' });
  const starts = async (seed: number): Promise<readonly number[]> =>
    (await simulate(scenario, { seed, policy: 'noMirror', drain: 'tick' })).pulls.map(({ startUs }) => startUs);
  const [first, again, other] = [await starts(1), await starts(1), await starts(2)];
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, other);
  assert.equal(new Set(first).size, 4);
  assert.ok(first.every((startUs) => startUs >= 1_000_000 && startUs <= 3_000_000));
});

test('workload: a pull fails with its own cable out, and no law is broken by it, however the node is called', async () => {
  const scenario = rollout(
    { pull: image.name },
    {
      cluster: { nodes: [{ name: 'gpu', count: 2 }] },
      faults: [{ kind: 'unplug', on: 'gpu1', at: '0', for: '2min' }],
      until: '5min',
    },
  );
  const { pulls, violations } = await simulate(scenario, { drain: 'tick' });
  assert.deepEqual(
    pulls.map(({ node, outcome }) => [node, outcome]),
    [
      ['gpu0', 'ok'],
      ['gpu1', 'no-host'],
    ],
  );
  assert.deepEqual(violations, []);
});
