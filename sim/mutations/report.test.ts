import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scene } from './catalogue/scenes.ts';
import { formatMutation, formatReport, reportOf } from './report.ts';
import type { MutationResult } from './run-mutations.ts';
import { caseFileOf, caseOf } from './saved-case.ts';

const killed: MutationResult = {
  name: 'M4',
  wrong: 'a source is asked again and again',
  fate: 'killed',
  violation: { oracle: 'pullsSucceed', message: 'the pull of n0 failed' },
  seed: 2,
  seedsTried: 2,
  cpuUs: 30_000_000,
  scenario: scene([]),
};
const survived: MutationResult = { ...killed, name: 'M5', fate: 'survived', violation: undefined, seed: undefined };

test('report: kills are counted by seeds and by the time of a core; who is left is named', () => {
  const report = reportOf([killed, survived]);
  assert.deepEqual([report.killed, report.total, report.seedsToKill, report.killsPerCpuMinute], [1, 2, 2, 1]);
  assert.equal(
    formatReport(report),
    '1 of 2 killed; 2 seeds to kill in the middle, 1 kills per CPU minute\nM5 survived\n',
  );
  assert.match(
    formatMutation(killed),
    /^killed {4}M4 {16}seed 2, 2 tried, 30000 ms CPU, 2 peers, 0 faults: pullsSucceed\n/,
  );
});

test('report: a kill is a case, by the name of its bug', () => {
  const saved = caseOf(killed);
  assert.deepEqual(saved, { mutation: 'M4', oracle: 'pullsSucceed', seed: 2, scenario: killed.scenario });
  assert.equal(saved === undefined ? '' : caseFileOf(saved), 'mutation-m4.json');
  assert.equal(caseOf(survived), undefined);
});
