import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeRow } from './bench-row.ts';
import type { BenchHost, BenchRow } from './bench-row.ts';
import { runSimBench } from './run-sim-bench.ts';

/** A machine on which each look at the clock comes 10 ms after the last one. */
function createHost(): BenchHost {
  const state = { nowMs: 0, bytes: 1_000 };
  return {
    nowMs: () => (state.nowMs += 10),
    memoryBytes: () => (state.bytes += 5),
  };
}

test('bench: each row is measured with the clock of the host, and told when it is known', async () => {
  const told: string[] = [];
  const rows = await runSimBench(createHost(), { isSmall: true, onRow: ({ name }) => told.push(name) });
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['kernel', 'core', 'cold-start-100', 'cold-start-1000', 'memory-1000', 'small-seeds', 'replay'],
  );
  assert.deepEqual(
    told,
    rows.map(({ name }) => name),
  );
  const [kernel] = rows;
  assert.deepEqual([kernel?.events, kernel?.wallMs, kernel?.value], [10_000, 10, 1_000_000]);
  for (const { events, value } of rows) assert.ok(events > 0 && value > 0);
  assert.deepEqual(await runSimBench(createHost(), { isSmall: true, rows: [] }), []);
});

test('bench: rates are better when they are higher, times and memory when they are lower', () => {
  const row: BenchRow = {
    name: 'core',
    what: '',
    value: 10,
    unit: 'events/s',
    floor: 5,
    stretch: 20,
    events: 1,
    wallMs: 1,
  };
  assert.deepEqual([row, { ...row, value: 4 }, { ...row, value: 20 }].map(judgeRow), ['floor', 'missed', 'stretch']);
  const time: BenchRow = { ...row, unit: 's', floor: 20, stretch: 5 };
  assert.deepEqual([time, { ...time, value: 21 }, { ...time, value: 5 }].map(judgeRow), ['floor', 'missed', 'stretch']);
});
