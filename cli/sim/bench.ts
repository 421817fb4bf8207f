import process from 'node:process';
import { PeiliError, throwIfAborted } from '../../core/index.ts';
import { benchNames, judgeRow, runSimBench } from '../../sim/index.ts';
import type { BenchHost, BenchName, BenchRow } from '../../sim/index.ts';
import { wrapWords } from '../wrap-words.ts';
import { saySize } from './words.ts';
import type { BenchOptions } from './sim-commands.ts';
import type { SimIo } from './sim-io.ts';

const marks = { stretch: '★', floor: '✔', missed: '✘' } as const;

/** Measures the simulator on this machine; printed, nothing judged: a slow machine is no mistake. Stopped, it ends with the row under way. */
export async function bench(
  { only, json }: BenchOptions,
  { progress, signal, width, writeOut }: SimIo,
): Promise<number> {
  const names = only?.map(benchNameOf);
  const rows: BenchRow[] = [];
  progress.progress('measuring');
  const onRow = (row: BenchRow): void => {
    rows.push(row);
    if (!json) writeOut(`${lineOf(row, width)}\n`);
    throwIfAborted(signal);
    progress.progress('measuring');
  };
  try {
    await runSimBench(thisMachine(), { onRow, ...(names === undefined ? {} : { rows: names }) });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (json) writeOut(`${JSON.stringify({ rows: rows.map((row) => ({ ...row, verdict: judgeRow(row) })) })}\n`);
  return signal.aborted ? 130 : 0;
}

function thisMachine(): BenchHost {
  const { gc } = globalThis;
  const collectGarbage = (): void => {
    gc?.();
  };
  return {
    nowMs: () => performance.now(),
    memoryBytes: () => process.memoryUsage().rss,
    ...(gc === undefined ? {} : { collectGarbage }),
  };
}

function benchNameOf(text: string): BenchName {
  const name = benchNames.find((each) => each === text);
  if (name !== undefined) return name;
  throw new PeiliError('OPTION_INVALID', `--only ${JSON.stringify(text)}: give names of ${benchNames.join(', ')}`);
}

function lineOf(row: BenchRow, width: number): string {
  const { name, value, unit, floor, stretch, what } = row;
  const say = (amount: number): string => sayAmount(amount, unit);
  const figures = `${marks[judgeRow(row)]} ${name.padEnd(17)} ${say(value).padStart(16)}`;
  const whole = `${figures}   floor ${say(floor)}, stretch ${say(stretch)}   ${what}`;
  if (whole.length <= width) return whole;
  const below = wrapWords(`floor ${say(floor)}, stretch ${say(stretch)}: ${what}`, width - 2);
  return [figures, ...below.map((line) => `  ${line}`)].join('\n');
}

function sayAmount(value: number, unit: BenchRow['unit']): string {
  if (unit === 'bytes') return saySize(value);
  if (unit === 's') return `${value.toPrecision(3)} s`;
  return `${Math.round(value).toLocaleString('en')} ${unit}`;
}
