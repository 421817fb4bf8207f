import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { outsideCapsule } from '../../testbed/index.ts';
import { summarize } from '../statistics.ts';
import type { Summary } from '../statistics.ts';
import { measure } from './measured.ts';
import { predict } from './predicted.ts';
import { outcomeNames } from './situation.ts';
import type { Outcome, Situation } from './situation.ts';
import { situations } from './situations.ts';

const usage = `node bench/calibration/main.ts predict             what the simulator says, into predictions.json
node bench/calibration/main.ts measure [rounds] [fitted|judged]    the same on containerd nodes, beside it (root; 5 rounds of all)`;
const predictionsFile = join(import.meta.dirname, 'predictions.json');
const seeds = 5;

type Summaries = Readonly<Record<keyof Outcome, Summary>>;
type Predictions = Readonly<Record<string, Summaries>>;

function summaries(outcomes: readonly Outcome[]): Summaries {
  const of = (name: keyof Outcome): Summary => summarize(outcomes.map((outcome) => outcome[name]));
  const [makespanSeconds, upstreamCopies, longestGapSeconds] = [
    of('makespanSeconds'),
    of('upstreamCopies'),
    of('longestGapSeconds'),
  ];
  return { makespanSeconds, upstreamCopies, longestGapSeconds };
}

async function predictAll(): Promise<void> {
  const predictions: Record<string, Summaries> = {};
  for (const situation of situations) {
    const outcomes: Outcome[] = [];
    for (let seed = 1; seed <= seeds; seed += 1) outcomes.push(await predict(situation, seed));
    predictions[situation.name] = summaries(outcomes);
  }
  await writeFile(predictionsFile, `${JSON.stringify(predictions, null, 2)}\n`);
  for (const [name, predicted] of Object.entries(predictions)) {
    console.log(name, outcomeNames.map((outcome) => text(predicted[outcome])).join('  '));
  }
}

async function measureAll(rounds: number): Promise<void> {
  const predictions = JSON.parse(await readFile(predictionsFile, 'utf8')) as Predictions;
  const measured = new Map<Situation, Outcome[]>(chosen.map((situation) => [situation, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [situation, outcomes] of measured) {
      process.stderr.write(`round ${round + 1}: ${situation.name}\n`);
      outcomes.push(await measure(situation, round));
    }
  }
  console.log('| what happens | use | figure | predicted | measured | off by |\n| --- | --- | --- | --- | --- | --- |');
  for (const [situation, outcomes] of measured) {
    const [real, predicted] = [summaries(outcomes), predictions[situation.name]];
    if (predicted === undefined) throw new Error(`no prediction of "${situation.name}": predict first`);
    for (const name of outcomeNames) {
      const cells = [
        situation.name,
        situation.use,
        titles[name],
        text(predicted[name]),
        text(real[name]),
        offBy(predicted[name], real[name]),
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}

const titles = {
  makespanSeconds: 'makespan, s',
  upstreamCopies: 'copies from upstream',
  longestGapSeconds: 'longest gap, s',
} as const;
/** Below it both are nothing: what a pull takes on a machine until its first byte. */
const nothing = 0.1;

function text({ median, min, max }: Summary): string {
  const figure = (value: number): string => value.toFixed(value < 1 ? 3 : 2);
  return min === max ? figure(median) : `${figure(median)} (${figure(min)}-${figure(max)})`;
}

function offBy(predicted: Summary, real: Summary): string {
  if (predicted.median < nothing && real.median < nothing) return '-';
  const share = predicted.median / real.median - 1;
  return `${share > 0 ? '+' : ''}${(100 * share).toFixed(0)} %`;
}

const [command, rounds = '5', use = ''] = process.argv.slice(2);
const chosen = situations.filter((situation) => use === '' || situation.use === use);
if (command === 'predict') {
  await predictAll();
} else if (command === 'measure' && (await outsideCapsule()) === undefined) {
  await measureAll(Number(rounds));
} else if (command === 'measure') {
  const tool = (name: string): string => join(import.meta.dirname, '../../tools', name);
  const node = (...args: readonly string[]): number | null =>
    spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status;
  process.exitCode =
    node(tool('real-parts.ts')) ||
    node(tool('capsule.ts'), process.execPath, import.meta.filename, ...process.argv.slice(2)) ||
    0;
} else {
  console.error(usage);
  process.exitCode = 2;
}
