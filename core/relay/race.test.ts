import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRace, stepRace } from './race.ts';
import type { RaceEvent, RaceState } from './race.ts';

const racingMax = 2;
const budget = 3;

/** Every event that can happen in a state: the machine is told the truth, so an attempt ends only where one runs. */
function eventsFor(state: RaceState, closed: boolean, late: boolean): RaceEvent[] {
  const types: RaceEvent['type'][] = ['changed'];
  if (late) types.push('late');
  if (state.running > 0) types.push('failed', 'won');
  const opens = closed ? [false] : [true, false];
  return types.flatMap((type) => [0, 1, 2].flatMap((untried) => opens.map((open) => ({ type, untried, open }))));
}

test('race: over every sequence of events the bounds hold and it is decided once', () => {
  let cases = 0;
  const walk = (state: RaceState, depth: number, started: number, outcomes: number): void => {
    cases += 1;
    if (depth === 0) return;
    for (const event of eventsFor(state, !state.open, true)) {
      const { actions, state: next } = stepRace(state, event, racingMax);
      const starts = actions.filter((action) => action === 'start').length;
      const ends = actions.filter((action) => action === 'exhaust').length;
      assert.ok(next.running <= racingMax, 'more heads race than may');
      assert.ok(started + starts <= budget, 'more attempts than the budget');
      assert.equal(next.budget, budget - started - starts);
      assert.ok(starts <= event.untried, 'a start without a source');
      assert.ok(next.running >= 0);
      if (state.outcome !== 'undecided') assert.deepEqual([next, actions], [state, []], 'something after the end');
      const decided = Number(next.outcome !== 'undecided') - Number(state.outcome !== 'undecided');
      assert.ok(outcomes + decided <= 1);
      assert.equal(ends, Number(next.outcome === 'exhausted' && state.outcome === 'undecided'));
      if (next.outcome === 'exhausted') assert.equal(next.running, 0, 'given up while somebody is asked');
      const canCome = next.budget > 0 && (event.open || event.untried > starts);
      if (ends === 1) assert.ok(!canCome, 'given up while somebody can come');
      if (next.outcome === 'undecided') {
        assert.ok(next.running > 0 || canCome, 'nobody runs, nobody can come, and it waits');
        const idle = next.running < 1 && event.untried > starts && next.budget > 0;
        assert.ok(!idle, 'a source is there and nobody is asked');
      }
      if (next.outcome === 'undecided') walk(next, depth - 1, started + starts, outcomes + decided);
    }
  };
  for (const adopted of [0, 1]) walk(startRace(budget, adopted), 5, 0, 0);
  assert.ok(cases > 5_000);
});

test('race: a hedge joins a late head, and only that', () => {
  const first = stepRace(startRace(8, 0), { type: 'changed', untried: 3, open: false }, racingMax);
  assert.deepEqual(first.actions, ['start']);
  const calm = stepRace(first.state, { type: 'changed', untried: 2, open: false }, racingMax);
  assert.deepEqual(calm.actions, []);
  const late = stepRace(calm.state, { type: 'late', untried: 2, open: false }, racingMax);
  assert.deepEqual(late.actions, ['start']);
  const later = stepRace(late.state, { type: 'late', untried: 1, open: false }, racingMax);
  assert.deepEqual(later.actions, []);
});

test('race: lateness counts only while somebody is asked', () => {
  const idle = stepRace(startRace(8, 0), { type: 'late', untried: 0, open: true }, racingMax);
  const came = stepRace(idle.state, { type: 'changed', untried: 2, open: true }, racingMax);
  assert.deepEqual(came.actions, ['start']);
});
