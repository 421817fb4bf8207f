import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawScenario, parseReplay } from '../../sim/index.ts';
import type { HuntInThreadsResult, KeptFind, ProbeReport } from '../../sim/index.ts';
import { examples } from './examples.ts';
import { caseOf, longHuntSeeds, omissionsOf, replayOf, sayFind, sayProgress, saySummary } from './hunt-summary.ts';

const violation = { oracle: 'noByteTwice', atUs: 5, event: 77, message: 'a byte came twice\n    at stack.ts:1' };
const find: KeptFind = { seed: 9, violation, scenario: drawScenario(9), isSmall: true };
const seen: ProbeReport = { name: 'a stall', kind: 'sometimes', runs: 3, why: 'no source stands still' };
const never: ProbeReport = { name: 'a resume', kind: 'sometimes', runs: 0, why: 'no source is left' };
const stray: ProbeReport = { name: 'a fault', kind: 'unreachable', runs: 1, why: 'it cannot be' };

function resultOf(changes: Partial<HuntInThreadsResult> = {}): HuntInThreadsResult {
  const counts = { tried: 1_200, checked: 60, events: 3_000_000, failing: 0, failingBy: {} };
  return { ...counts, found: [], probes: [seen], ...changes };
}

test('hunt: what is found is a line that does it again, and a case', () => {
  const { scenario, seed, policy, event } = parseReplay(replayOf(find));
  assert.deepEqual({ scenario, seed, policy, event }, { scenario: find.scenario, seed: 9, policy: 'peili', event: 77 });
  assert.match(
    sayFind(find),
    /^✘ the law noByteTwice was broken, seed 9: a byte came twice\n {2}\d+ nodes?, .* faults?\n {2}peili sim replay '\S+'\n$/,
  );
  assert.match(sayFind({ ...find, isSmall: false }), /faults? \(as it was drawn, not made small\)\n/);
  assert.deepEqual(caseOf(find), { was: 'a byte came twice', oracle: 'noByteTwice', seed: 9, scenario: find.scenario });
});

test('hunt: its end says what was tried, what broke how often, and what was never seen', () => {
  assert.equal(
    saySummary(resultOf(), 60.04, false),
    '1,200 seeds, 60 of them run twice, 3,000,000 events in 60.0 s: no law was broken\n',
  );
  const broken = resultOf({ failing: 3, failingBy: { noByteTwice: 2, s9: 1 }, tried: longHuntSeeds, probes: [never] });
  assert.equal(
    saySummary(broken, 1, true),
    `Stopped: 10,000 seeds, 60 of them run twice, 3,000,000 events in 1.0 s: 3 broke a law (noByteTwice 2, s9 1)
✘ a resume: never seen in 10,000 seeds: no source is left
`,
  );
  assert.match(saySummary(resultOf({ probes: [seen, never] }), 1, false), /\n1 of 2 rare cases not seen yet/);
  assert.match(
    saySummary(resultOf({ probes: [stray] }), 1, false),
    /\n✘ a fault: seen in 1 run, and never to be seen: it cannot be\n$/,
  );
});

test('hunt: what was never seen is wrong from so many seeds on, what must not be seen always', () => {
  const probes = [seen, never, stray];
  assert.deepEqual(omissionsOf({ probes, tried: longHuntSeeds - 1 }), {
    unreachable: [stray],
    missed: [],
    unseen: [never],
  });
  assert.deepEqual(omissionsOf({ probes, tried: longHuntSeeds }), {
    unreachable: [stray],
    missed: [never],
    unseen: [],
  });
  assert.ok(examples.hunt.includes(`${longHuntSeeds.toLocaleString('en')} seeds`), 'the help says how many');
});

test('hunt: progress says how far it is, and how many broke a law', () => {
  const counts = { tried: 1_234, events: 5, failing: 2 };
  assert.equal(sayProgress({ ...counts, failing: 0 }, 3.7, 60), '1,234 seeds in 3 s of 60');
  assert.equal(sayProgress(counts, 3.7, 60), '1,234 seeds in 3 s of 60 · 2 broke a law');
  const small = { done: 1, of: 2 };
  assert.equal(sayProgress({ ...counts, small }, 61, 60), '1,234 seeds · 2 broke a law · making them small: 1 of 2');
});
