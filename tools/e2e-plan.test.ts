import assert from 'node:assert/strict';
import { test } from 'node:test';
import { driverOf, drivers, planRuns } from './e2e-plan.ts';

const files = [
  'e2e/program/program.test.ts',
  'e2e/laws/laws.test.ts',
  'e2e/containerd/pulls.test.ts',
  'e2e/testbed/killed.test.ts',
];

test('plan: without a driver everything runs, and the laws that run anywhere once on each testbed', () => {
  const runs = planRuns(files);
  const laws = runs.filter(({ file }) => file.startsWith('e2e/laws/'));
  assert.deepEqual(
    laws.map(({ driver }) => driver),
    Object.keys(drivers),
  );
  assert.equal(runs.length, files.length - 1 + laws.length);
});

test('plan: what cheaper testbeds can prove is proven on a cluster only when it is asked for', () => {
  const onKind = (driver?: 'kind') => planRuns(files, driver).find((run) => run.driver === 'kind');
  assert.equal(onKind()?.onlyNeed, 'pods');
  assert.equal(onKind('kind')?.onlyNeed, undefined);
});

test('plan: with a driver its own laws run, and those that run anywhere', () => {
  assert.deepEqual(planRuns(files, 'netns'), [
    { file: 'e2e/containerd/pulls.test.ts', needsCapsule: true, needs: 'netns' },
    { file: 'e2e/laws/laws.test.ts', driver: 'netns', needsCapsule: true, needs: 'netns' },
  ]);
});

test('plan: without a testbed nothing of it runs, neither its own laws nor those that run anywhere', () => {
  const runs = planRuns([...files, 'e2e/deploy/chart.test.ts'], undefined, ['docker', 'kind']);
  assert.deepEqual(
    runs.map(({ file, driver }) => [file, driver]),
    [
      ['e2e/containerd/pulls.test.ts', undefined],
      ['e2e/laws/laws.test.ts', 'process'],
      ['e2e/laws/laws.test.ts', 'netns'],
      ['e2e/program/program.test.ts', undefined],
      ['e2e/testbed/killed.test.ts', undefined],
    ],
  );
});

test('plan: laws about capsules open their own, and need what nodes are made of', () => {
  const [run] = planRuns(['e2e/testbed/killed.test.ts']);
  assert.deepEqual(run, { file: 'e2e/testbed/killed.test.ts', needsCapsule: false, needs: 'netns' });
});

test('plan: a testbed that there is not is named, with those that there are', () => {
  assert.throws(() => driverOf('vagrant'), /there is no testbed "vagrant": process, netns, docker, kind/);
});
