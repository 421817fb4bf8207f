import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scenario } from '../scenario/scenario.ts';
import type { World } from '../run/world.ts';
import { checkDeterminism } from './check-determinism.ts';
import { formatCheck } from './format-check.ts';

const image = { name: 'docker.io/library/app:1', layerBytes: [1_000_000] };
const scenario: Scenario = {
  name: 'pair',
  shows: 'a run that is small',
  cluster: {
    nodes: 2,
    zones: 1,
    upBytesPerSecond: 100_000_000,
    downBytesPerSecond: 100_000_000,
    latencyUs: 200,
    zoneLatencyUs: 800,
    mirrorBytesPerSecond: 1_000_000_000,
  },
  upstream: { bytesPerSecond: 50_000_000, latencyUs: 10_000 },
  images: [image],
  workload: [0, 1].map((node) => ({ atUs: 1_000_000 + node * 2_000_000, node, image: image.name })),
  faults: [],
  untilUs: 60_000_000,
};

test('check: a scenario is the same run three times', async () => {
  const report = await checkDeterminism(scenario);
  assert.equal(report.divergence, undefined);
  assert.deepEqual(
    report.runs.map(({ drain }) => drain),
    ['immediate', 'immediate', 'tick'],
  );
  assert.equal(new Set(report.runs.map(({ hash }) => hash)).size, 1);
  assert.match(formatCheck(report).at(-1) ?? '', /^pair, seed 1: the same run 3 times$/);
});

/** Something that the n-th run alone does, 3 s into it: what a clock or a counter that runs share would do. */
function onRun(which: (run: number) => boolean, act: (world: World) => void): (world: World) => void {
  const state = { run: 0 };
  return (world) => {
    state.run += 1;
    const { run } = state;
    world.kernel.schedule(3_000_000, () => {
      if (which(run)) act(world);
    });
  };
}

const plant = (world: World): void => {
  world.trace.emit({ type: 'fault', kind: 'planted', target: 'n0', phase: 'begin' });
};

test('check: the first event that is not the same is named, with what happened before and after it', async () => {
  const report = await checkDeterminism(scenario, { onWorld: onRun((run) => run === 2, plant), neighbours: 3 });
  const { divergence } = report;
  assert.ok(divergence !== undefined);
  assert.equal(divergence.run, 2);
  assert.equal(divergence.isFirstRepeatable, true);
  const [one, other] = [divergence.first[0], divergence.other[0]];
  assert.ok(other?.type === 'fault' && other.kind === 'planted' && other.atUs === 3_000_000);
  assert.notEqual(one?.type, 'fault');
  assert.equal(divergence.before.length, 3);
  assert.deepEqual(divergence.before.at(-1)?.ordinal, other.ordinal);
  const text = formatCheck(report).join('\n');
  assert.match(text, /run 2 is another one than run 1, first in event #\d+, at 3 s/);
  assert.match(text, /^2 > .*fault.*kind=planted/m);
});

test('check: what comes out only when promises settle in the other way is found', async () => {
  const report = await checkDeterminism(scenario, { onWorld: onRun((run) => run === 3, plant) });
  assert.equal(report.divergence?.run, 3);
});

test('check: a run that ends early, fails, or is never the same is told as such', async () => {
  const early = await checkDeterminism(scenario, {
    onWorld: onRun(
      (run) => run === 2,
      ({ kernel }) => {
        kernel.stop();
      },
    ),
  });
  assert.equal(early.divergence?.run, 2);
  const failing = await checkDeterminism(scenario, {
    onWorld: onRun(
      (run) => run === 2,
      ({ kernel }) => {
        kernel.fail(new Error('planted'));
      },
    ),
  });
  assert.equal(failing.runs[1]?.failure, 'Error: planted');
  assert.deepEqual(failing.divergence?.other, []);
  assert.ok((failing.divergence.first[0]?.atUs ?? 0) >= 3_000_000);
  assert.match(formatCheck(failing).join('\n'), /failed: Error: planted/);
  const shared = { count: 0 };
  const never = await checkDeterminism(scenario, {
    onWorld: onRun(
      () => true,
      ({ trace }) => {
        shared.count += 1;
        trace.emit({ type: 'fault', kind: `run ${shared.count}`, target: '', phase: 'begin' });
      },
    ),
  });
  assert.equal(never.divergence?.isFirstRepeatable, false);
  assert.match(formatCheck(never).at(-1) ?? '', /another one once more/);
});
