import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../run/simulate.ts';
import { judgeExpectations } from '../scenario/judge-expectations.ts';
import { parseScenario } from '../scenario/parse-scenario.ts';
import { namedScenarios } from './index.ts';

/** What makes the large ones small enough to be run here, and leaves what they show. */
const smaller: Readonly<Record<string, readonly string[]>> = {
  'cold-start': ['cluster.nodes=5'],
  'cold-start-1000': ['cluster.nodes=4'],
  'rolling-update': ['cluster.nodes=20'],
  'daemonset-waves': ['cluster.nodes=20'],
  'small-artifacts': ['cluster.nodes=4', 'images[0].layers=40 x 20kB'],
  'first-holder-melts': ['cluster.nodes=8'],
  'registry-rate-limits': ['cluster.nodes=14', 'expect.noMirror.failed=at least 4'],
  'cloud-registry': ['cluster.nodes=6'],
  'mixed-with-spegel': ['cluster.nodes=8'],
  'huge-layer': ['images[0].layers=500MB', 'workload[1].at=60s'],
};

test('scenario cold-start: no law is broken among more nodes than one holds connections to', async () => {
  const text = namedScenarios.find(({ name }) => name === 'cold-start')?.text ?? '';
  const set = ['cluster.nodes=80', 'images[0].layers=2 x 1MB', 'workload[0].jitter=0.1s'];
  const { pulls, violations } = await simulate(parseScenario(text, { set }).scenario, { drain: 'tick' });
  assert.deepEqual([...violations.map(({ message }) => message)], []);
  assert.ok(pulls.every(({ outcome }) => outcome === 'ok'));
});

for (const { name, text } of namedScenarios) {
  test(`scenario ${name}: what it is to show is seen`, async () => {
    const plan = parseScenario(text, { file: name, set: smaller[name] ?? [] });
    assert.ok(plan.expect.length > 0, 'a scenario says what is expected');
    for (const policy of new Set(plan.expect.map((each) => each.policy))) {
      const result = await simulate(plan.scenario, { policy, drain: 'tick' });
      assert.deepEqual([...result.violations.map(({ message }) => message)], []);
      assert.deepEqual(
        judgeExpectations(plan, result).map(({ says }) => says),
        [],
      );
    }
  });
}
