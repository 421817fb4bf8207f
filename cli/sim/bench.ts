import process from 'node:process';
import { judgeRow, runSimBench } from '../../sim/index.ts';
import type { BenchRow } from '../../sim/index.ts';
import { saySize } from './words.ts';
import type { BenchOptions } from './sim-commands.ts';
import type { SimIo } from './sim-io.ts';

const marks = { stretch: '★', floor: '✔', missed: '✘' } as const;

/** Measures the simulator on this machine; printed, nothing judged: a slow machine is no mistake. */
export async function bench({ json }: BenchOptions, { writeOut, progress }: SimIo): Promise<number> {
  const { gc } = globalThis;
  const rows = await runSimBench(
    {
      nowMs: () => performance.now(),
      memoryBytes: () => process.memoryUsage().rss,
      ...(gc === undefined
        ? {}
        : {
            collectGarbage: () => {
              gc();
            },
          }),
    },
    {
      onRow: (row) => {
        if (!json) writeOut(`${lineOf(row)}\n`);
        progress.progress('measuring');
      },
    },
  );
  if (json) writeOut(`${JSON.stringify({ rows: rows.map((row) => ({ ...row, verdict: judgeRow(row) })) })}\n`);
  return 0;
}

function lineOf(row: BenchRow): string {
  const { name, value, unit, floor, stretch, what } = row;
  const say = (amount: number): string => sayAmount(amount, unit);
  return `${marks[judgeRow(row)]} ${name.padEnd(17)} ${say(value).padStart(16)}   floor ${say(floor)}, stretch ${say(stretch)}   ${what}`;
}

function sayAmount(value: number, unit: BenchRow['unit']): string {
  if (unit === 'bytes') return saySize(value);
  if (unit === 's') return `${value.toPrecision(3)} s`;
  return `${Math.round(value).toLocaleString('en')} ${unit}`;
}
