import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultTable } from '../faults/fault-table.ts';
import type { Fault } from '../faults/fault.ts';
import { faultKinds } from './fault-text.ts';
import { readUnknown } from './read-scenario.ts';

/** What each field may be. */
const values: Readonly<Record<string, unknown>> = {
  rate: '1MB/s',
  offset: '5s',
  delay: '10ms',
  status: 503,
  bytes: '1kB',
  times: 3,
  added: '1ms',
  with: ['n1', 'n2'],
  how: 'gap',
  lag: '1s',
  entries: 2,
  perSecond: '100us',
};

function read(fault: object): readonly Fault[] {
  return readUnknown({
    cluster: { nodes: 3 },
    images: [{ name: 'docker.io/library/app:1', layers: '1MB' }],
    workload: [{ pull: 'docker.io/library/app:1' }],
    faults: [fault],
  }).scenario.faults;
}

/** The least that this kind has to say. */
function leastOf(kind: string): readonly Fault[] {
  const fault: Record<string, unknown> = { kind, on: 'n0', at: '1s', for: '2s' };
  for (;;) {
    try {
      return read(fault);
    } catch (error) {
      const [, field = ''] = /^faults\[0\]\.(\w+): is missing$/.exec((error as Error).message) ?? [];
      if (field === '' || field in fault) throw error;
      fault[field] = values[field];
    }
  }
}

test('faults in a file: every kind that the simulator knows can be written', () => {
  const written = Object.keys(faultKinds).flatMap((kind) => leastOf(kind));
  for (const { atUs, untilUs, target } of written) assert.deepEqual([atUs, untilUs, target], [1_000_000, 3_000_000, 0]);
  const kinds = new Set(written.map(({ what }) => what.kind));
  assert.deepEqual(
    Object.keys(faultTable).filter((kind) => !kinds.has(kind as Fault['what']['kind'])),
    [],
  );
});

test('faults in a file: nodes on the other side, and each so many-th', () => {
  assert.deepEqual(read({ kind: 'partition', on: 'n0', with: ['n1', 'n2'], way: 'in' }), [
    { atUs: 0, target: 0, what: { kind: 'cut', with: [1, 2], way: 'in' } },
  ]);
  assert.deepEqual(read({ kind: 'refuse', on: 'n0', from: 'n2', nth: 3 }), [
    { atUs: 0, target: 0, what: { kind: 'http', fault: { kind: 'refuse' }, from: 2, every: 3 } },
  ]);
  assert.throws(
    () => read({ kind: 'island', on: 'n0', with: 'n9' }),
    /^ScenarioError: faults\[0\]\.with: "n9" is no node here/,
  );
});
