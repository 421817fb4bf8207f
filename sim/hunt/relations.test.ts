import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawScenario } from '../draw/draw-scenario.ts';
import { liarsOf } from '../oracles/lies.ts';
import { simulate } from '../run/simulate.ts';
import type { SimResult } from '../run/simulate.ts';
import type { AskSpec, Scenario } from '../scenario/scenario.ts';
import { slowedDown, withHonestHolder, withPermutedNodes } from './relations.ts';

const run = (scenario: Scenario, seed: number): Promise<SimResult> => simulate(scenario, { seed, drain: 'tick' });
const second = 1_000_000;
const seeds = Array.from({ length: 4 }, (_, index) => 500 + index);

test('relations: one more honest holder never breaks a pull', async () => {
  for (const seed of seeds) {
    const scenario = drawScenario(seed);
    if (liarsOf(scenario).size > 0) continue;
    const [alone, helped] = [await run(scenario, seed), await run(withHonestHolder(scenario), seed)];
    for (const [index, { node, outcome }] of alone.pulls.entries()) {
      if (outcome !== 'ok') continue;
      assert.equal(helped.pulls[index]?.outcome, 'ok', `seed ${seed}: the pull of ${node}`);
    }
    assert.deepEqual(helped.violations, []);
  }
});

test('relations: nodes in another order get the same bytes', async () => {
  for (const seed of seeds) {
    const scenario = drawScenario(seed);
    if (liarsOf(scenario).size > 0) continue;
    const { nodes } = scenario.cluster;
    const order = Array.from({ length: nodes }, (_, node) => (node + 1) % nodes);
    const [one, other] = [await run(scenario, seed), await run(withPermutedNodes(scenario, order), seed)];
    assert.deepEqual(
      other.pulls.map(({ outcome }) => outcome),
      one.pulls.map(({ outcome }) => outcome),
      `seed ${seed}`,
    );
    assert.deepEqual(other.violations, []);
  }
});

test('relations: where everything takes twice as long, so does a rollout', async () => {
  for (const seed of [1, 2]) {
    const scenario = { ...drawScenario(seed), faults: [] };
    const [one, slow] = [await run(scenario, seed), await run(slowedDown(scenario, 2), seed)];
    const ratio = slow.makespanUs / one.makespanUs;
    assert.ok(Math.abs(ratio - 2) < 0.02, `seed ${seed}: ${one.makespanUs} and ${slow.makespanUs} us, ${ratio} times`);
  }
});

const image = 'registry.example/app:1';
const asks: readonly AskSpec[] = (['tag', 'manifest', 'config', 0, 1] as const).flatMap((what) =>
  ([undefined, 'bytes=1-', 'bytes=-1', 'bytes=9999999999-'] as const).map((range, index) => ({
    atUs: 600 * second + index * 10_000,
    node: 0,
    image,
    what,
    ...(range === undefined ? {} : { range }),
  })),
);

/** Node 0 has nothing or all, others have it; all mirrors but the last one are killed long before the questions. */
const settled = (isHolder: boolean, isRestarted: boolean): Scenario => ({
  ...drawScenario(1),
  images: [{ name: image, layerBytes: [1_000_000, 20_000_000] }],
  cluster: { ...drawScenario(1).cluster, nodes: 4, zones: 1 },
  workload: (isHolder ? [0, 1, 2] : [1, 2]).map((node) => ({ atUs: second, node, image })),
  asks,
  faults: isRestarted
    ? [0, 1, 2].map((target) => ({
        atUs: 100 * second,
        target,
        what: { kind: 'crash' },
        untilUs: 101 * second + target * second,
      }))
    : [],
});

async function headsOf(scenario: Scenario): Promise<readonly string[]> {
  const heads = new Map<number, string>();
  const { violations } = await simulate(
    // The last pull ends the run, and the questions come long after it.
    { ...scenario, workload: [...scenario.workload, { atUs: 700 * second, node: 3, image }] },
    {
      drain: 'tick',
      onWorld: ({ trace }) => {
        trace.watch((event) => {
          const isAsked = event.type === 'request' && event.from.role === 'containerd' && event.atUs >= 600 * second;
          if (isAsked && event.from.host.name === 'n0') heads.set(event.exchange, '');
          if (event.type !== 'head' || !heads.has(event.exchange)) return;
          const { 'content-length': length, 'content-range': range, 'docker-content-digest': digest } = event.headers;
          heads.set(event.exchange, [event.status, event.status === 404 ? '' : length, range, digest].join(' '));
        });
      },
    },
  );
  assert.deepEqual(violations, []);
  return [...heads.values()];
}

test("relations: S9: a mirror that was killed answers as one that was not: by its store and its router's word", async () => {
  for (const isHolder of [true, false]) {
    const heads = await headsOf(settled(isHolder, false));
    assert.equal(heads.length, asks.length);
    assert.ok(heads.some((head) => head.startsWith('206')) && !heads.some((head) => head.startsWith('404')));
    assert.deepEqual(await headsOf(settled(isHolder, true)), heads);
  }
});
