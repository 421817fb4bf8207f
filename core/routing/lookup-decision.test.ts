import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginLookup, stepLookup } from './lookup-decision.ts';
import type { LookupEvent, LookupPlan, LookupStep } from './lookup-decision.ts';

const verdicts = ['yes', 'no', 'warming', 'failed', 'silent'] as const;
type Verdict = (typeof verdicts)[number];

const members = ['a', 'b', 'c'];
const planOf = (changes: Partial<LookupPlan> = {}): LookupPlan => ({
  asked: members.map((id) => ({ id, role: 'keeper' as const, isDialled: false })),
  heldBack: [],
  spares: [],
  quorum: 2,
  secondHopMax: 0,
  ...changes,
});

const eventOf = (from: string, verdict: Verdict, closer: readonly string[] = []): LookupEvent =>
  verdict === 'failed' || verdict === 'silent' ? { type: 'failed', from } : { type: 'answer', from, verdict, closer };

/** All orders of the items. */
function orders<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) => orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}

interface Run {
  readonly ends: readonly { readonly outcome: string; readonly afterEvents: number }[];
  readonly asked: readonly string[];
  readonly last: LookupStep;
}

function run(plan: LookupPlan, events: readonly LookupEvent[]): Run {
  const ends: { outcome: string; afterEvents: number }[] = [];
  const asked: string[] = [];
  let step = beginLookup(plan);
  const note = (afterEvents: number): void => {
    for (const action of step.actions) {
      if (action.type === 'end') ends.push({ outcome: action.outcome, afterEvents });
      else asked.push(...action.ids);
    }
  };
  note(0);
  for (const [index, event] of events.entries()) {
    step = stepLookup(step.state, event);
    note(index + 1);
  }
  return { ends, asked, last: step };
}

/** What a lookup of three keepers must come to, said another way than the machine does: looks back from the events that came before an end. */
function expectedEnd(events: readonly LookupEvent[]): { outcome: string; afterEvents: number } {
  for (let count = 1; count <= events.length; count += 1) {
    const before = events.slice(0, count);
    const noes = before.filter((event) => event.type === 'answer' && event.verdict === 'no').length;
    const isFound = before.some((event) => event.type === 'answer' && event.verdict === 'yes');
    const settled = before.filter((event) => event.type === 'answer' || event.type === 'failed').length;
    const isMissTime = before.some(({ type }) => type === 'miss-time');
    const isLate = before.some(({ type }) => type === 'deadline');
    if (isFound && (settled === 3 || isLate)) return { outcome: 'found', afterEvents: count };
    if (!isFound && noes >= 2 && (settled === 3 || isMissTime)) return { outcome: 'nobody', afterEvents: count };
    if (!isFound && settled === 3) return { outcome: 'unreachable', afterEvents: count };
    if (!isFound && isLate) return { outcome: 'timeout', afterEvents: count };
  }
  throw new Error('the deadline ends every lookup');
}

test('lookup: every order of every answer of three members, with both time-outs anywhere, ends once and as the events say', () => {
  let cases = 0;
  for (const a of verdicts) {
    for (const b of verdicts) {
      for (const c of verdicts) {
        const answers = members.map((id, index) => ({ id, verdict: [a, b, c][index] ?? 'silent' }));
        const spoken = answers
          .filter(({ verdict }) => verdict !== 'silent')
          .map(({ id, verdict }) => eventOf(id, verdict));
        for (const order of orders(spoken)) {
          for (let miss = 0; miss <= order.length; miss += 1) {
            for (let late = miss; late <= order.length; late += 1) {
              const events = [
                ...order.slice(0, miss),
                { type: 'miss-time' } as const,
                ...order.slice(miss, late),
                { type: 'deadline' } as const,
                ...order.slice(late),
              ];
              const { ends } = run(planOf(), events);
              const label = JSON.stringify(events);
              assert.deepEqual(ends, [expectedEnd(events)], label);
              cases += 1;
            }
          }
        }
      }
    }
  }
  assert.equal(cases > 3_000, true, `${cases} cases`);
});

test('lookup: once "nobody" has a quorum, no yes that comes later is heard', () => {
  const { ends, last } = run(planOf(), [
    eventOf('a', 'no'),
    eventOf('b', 'no'),
    { type: 'miss-time' },
    eventOf('c', 'yes'),
  ]);
  assert.deepEqual(ends, [{ outcome: 'nobody', afterEvents: 3 }]);
  assert.equal(last.state.phase, 'ended');
});

test('lookup: the same member answers once', () => {
  const { ends } = run(planOf(), [eventOf('a', 'no'), eventOf('a', 'no'), { type: 'miss-time' }, { type: 'deadline' }]);
  assert.deepEqual(ends, [{ outcome: 'timeout', afterEvents: 4 }]);
});

test('lookup: the same member fails once: one stands in for it', () => {
  const { asked } = run(planOf({ spares: ['d', 'e'] }), [eventOf('a', 'failed'), eventOf('a', 'failed')]);
  assert.deepEqual(asked, ['a', 'b', 'c', 'd']);
});

test('lookup: a keeper that fails or is warming is stood in for by the next nearest, each once', () => {
  for (const verdict of ['failed', 'warming'] as const) {
    const { asked } = run(planOf({ spares: ['d', 'e'] }), [
      eventOf('b', verdict),
      eventOf('d', verdict),
      eventOf('a', verdict),
    ]);
    assert.deepEqual(asked, ['a', 'b', 'c', 'd', 'e'], verdict);
  }
});

test('lookup: those held back are asked before the next nearest where one fails, or is connected and silent at the miss time; all of them once it is found, none once nobody has it', () => {
  const [first, second] = planOf().asked;
  const plan = planOf({ asked: [first!, second!], heldBack: ['c', 'd'], spares: ['e'] });
  for (const verdict of ['failed', 'warming'] as const)
    assert.deepEqual(run(plan, [eventOf('a', verdict)]).asked, ['a', 'b', 'c'], verdict);
  assert.deepEqual(run(plan, [eventOf('a', 'no'), { type: 'miss-time' }]).asked, ['a', 'b', 'c']);
  assert.deepEqual(run(plan, [{ type: 'miss-time' }, eventOf('b', 'failed')]).asked, ['a', 'b', 'c', 'd', 'e']);
  const found = run(plan, [eventOf('a', 'yes'), { type: 'miss-time' }, eventOf('b', 'yes')]);
  assert.deepEqual([found.asked, found.ends], [['a', 'b', 'c', 'd'], []], 'they may know of more holders');
  const { asked, ends } = run(plan, [eventOf('a', 'no'), eventOf('b', 'no'), { type: 'miss-time' }]);
  assert.deepEqual([asked, ends], [['a', 'b'], [{ outcome: 'nobody', afterEvents: 2 }]]);
  // Its handshake is under way.
  const dialled = planOf({ ...plan, asked: [first!, { ...second!, isDialled: true }] });
  assert.deepEqual(run(dialled, [eventOf('a', 'no'), { type: 'miss-time' }]).asked, ['a', 'b']);
  assert.deepEqual(run(dialled, [{ type: 'miss-time' }]).asked, ['a', 'b', 'c']);
});

test('lookup: a spare asked counts like the keeper that it stands in for', () => {
  const { ends } = run(planOf({ spares: ['d'] }), [
    eventOf('a', 'failed'),
    eventOf('b', 'failed'),
    eventOf('c', 'no'),
    eventOf('d', 'no'),
  ]);
  assert.deepEqual(ends, [{ outcome: 'nobody', afterEvents: 4 }]);
});

test('lookup: members that answers name are asked in one further hop, a bounded number, each once', () => {
  const { asked } = run(planOf({ secondHopMax: 2 }), [
    eventOf('a', 'no', ['x', 'a', 'x']),
    eventOf('x', 'no', ['far']),
    eventOf('b', 'warming', ['x', 'y', 'z']),
  ]);
  assert.deepEqual(asked, ['a', 'b', 'c', 'x', 'y']);
});

test('lookup: a named member is waited for like the others, until the miss time', () => {
  const events = [eventOf('a', 'no', ['x']), eventOf('b', 'no'), eventOf('c', 'no')];
  const plan = planOf({ secondHopMax: 2 });
  assert.deepEqual(run(plan, events).ends, []);
  assert.deepEqual(run(plan, [...events, eventOf('x', 'yes')]).ends, [{ outcome: 'found', afterEvents: 4 }]);
  assert.deepEqual(run(plan, [...events, { type: 'miss-time' }]).ends, [{ outcome: 'nobody', afterEvents: 4 }]);
});

test('lookup: nobody further is asked once it is found', () => {
  const { asked } = run(planOf({ spares: ['d'], secondHopMax: 2 }), [
    eventOf('a', 'yes', ['x']),
    eventOf('b', 'failed'),
    eventOf('c', 'no', ['y']),
  ]);
  assert.deepEqual(asked, members);
});

test('lookup: a suspect is asked and not waited for, unless nobody else is left to ask', () => {
  const asked = [
    { id: 'a', role: 'keeper', isDialled: false },
    { id: 'b', role: 'keeper', isDialled: false },
    { id: 's', role: 'suspect', isDialled: false },
  ] as const;
  const noes = [eventOf('a', 'no'), eventOf('b', 'no')];
  assert.deepEqual(run(planOf({ asked }), noes).ends, [{ outcome: 'nobody', afterEvents: 2 }]);
  const others = [eventOf('a', 'failed'), eventOf('b', 'no')];
  assert.deepEqual(run(planOf({ asked }), others).ends, []);
  assert.deepEqual(run(planOf({ asked }), [...others, eventOf('s', 'yes')]).ends, [
    { outcome: 'found', afterEvents: 3 },
  ]);
});

test('lookup: the "nobody" of a member that is not near proves nothing, its yes does', () => {
  const asked = [
    { id: 'a', role: 'keeper', isDialled: false },
    { id: 'x', role: 'extra', isDialled: false },
    { id: 'y', role: 'extra', isDialled: false },
  ] as const;
  const noes = [eventOf('x', 'no'), eventOf('y', 'no'), { type: 'miss-time' } as const];
  assert.deepEqual(run(planOf({ asked }), noes).ends, []);
  assert.deepEqual(run(planOf({ asked }), [...noes, eventOf('a', 'failed')]).ends, [
    { outcome: 'unreachable', afterEvents: 4 },
  ]);
  assert.deepEqual(run(planOf({ asked }), [eventOf('a', 'no'), eventOf('x', 'yes'), { type: 'deadline' }]).ends, [
    { outcome: 'found', afterEvents: 3 },
  ]);
});

test('lookup: a node that is alone knows at once that nobody has it', () => {
  const plan = planOf({ asked: [{ id: 'self', role: 'keeper', isDialled: false }], quorum: 1 });
  assert.deepEqual(run(plan, [eventOf('self', 'no')]).ends, [{ outcome: 'nobody', afterEvents: 1 }]);
  assert.deepEqual(run(planOf({ asked: [] }), []).ends, [{ outcome: 'unreachable', afterEvents: 0 }]);
});
