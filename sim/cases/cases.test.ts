import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { oracles } from '../oracles/all.ts';
import { simulate } from '../run/simulate.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { formatCase, parseCase } from './saved-case.ts';

const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.json'));
const cases = files.map((name) => ({ name, saved: parseCase(readFileSync(`${import.meta.dirname}/${name}`, 'utf8')) }));

for (const { name, saved } of cases) {
  test(`case: ${name} is right, and the same run on both drains`, async () => {
    const { oracle, scenario, seed } = saved;
    const ticked = await simulate(scenario, { seed, drain: 'tick' });
    assert.deepEqual(ticked.violations, []);
    const { hash, events } = await simulate(scenario, { seed, drain: 'immediate' });
    assert.deepEqual([hash, events], [ticked.hash, ticked.events]);
    const isKnown = oracle in oracles || otherOracles.has(oracle);
    assert.ok(isKnown, `no oracle is called ${oracle}`);
  });
}

/** Of whoever does the run, not of what happens in it. */
const otherOracles: ReadonlySet<string> = new Set(['nothingThrows', 'runsAreEqual', 'crash', 'standstill', 'livelock']);

test('case: a case is written and read again as it was, infinite rates too', () => {
  const [first] = cases;
  assert.ok(first !== undefined);
  const scenario: Scenario = {
    ...first.saved.scenario,
    cluster: { ...first.saved.scenario.cluster, mirrorBytesPerSecond: Infinity },
  };
  const saved = { ...first.saved, scenario };
  assert.deepEqual(parseCase(formatCase(saved)), saved);
  assert.throws(() => parseCase('{"seed": 1}'), /holds no case/);
});
