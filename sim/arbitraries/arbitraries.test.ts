import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkFaults } from '../faults/check-faults.ts';
import { simulate } from '../run/simulate.ts';
import { arbitraries } from './arbitraries.ts';

const { scenario } = arbitraries(fc);

test('arbitraries: no scenario breaks a law', async () => {
  await fc.assert(
    fc.asyncProperty(scenario(), fc.nat(1_000), async (drawn, seed) => {
      const { violations } = await simulate(drawn, { seed, drain: 'tick' });
      assert.deepEqual(violations, []);
    }),
    { numRuns: 25, seed: 5 },
  );
});

test('arbitraries: all faults of a scenario are in order', () => {
  fc.assert(
    fc.property(scenario({ nodesMax: 12, faultsMax: 8 }), ({ cluster, faults }) => {
      assert.equal(checkFaults(faults, cluster.nodes), undefined);
    }),
    { numRuns: 200 },
  );
});

test('arbitraries: what fails whenever a mirror is killed shrinks to one node, one pull and that fault', () => {
  const { counterexample } = fc.check(
    fc.property(scenario({ faultsMax: 6 }), ({ faults }) => faults.every(({ what }) => what.kind !== 'crash')),
    { numRuns: 500, seed: 3 },
  );
  const [smallest] = counterexample ?? [];
  assert.equal(smallest?.cluster.nodes, 1);
  assert.equal(smallest.workload.length, 1);
  assert.deepEqual(
    smallest.faults.map(({ atUs, target, what }) => ({ atUs, target, what })),
    [{ atUs: 0, target: 0, what: { kind: 'crash' } }],
  );
});
