import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nodesObstacle, spawnInCapsule } from './capsule.ts';
import { dockerObstacle, kindObstacle } from './containers.ts';
import type { FileTotals } from './e2e-file.ts';
import { driverOf, planRuns } from './e2e-plan.ts';
import type { Driver, PlannedRun } from './e2e-plan.ts';
import { missingParts, pathWithParts } from './real-parts.ts';

const { values: given, positionals } = parseArgs({
  options: {
    /** Only what is of this testbed. */
    driver: { type: 'string' },
    /** Nothing of these testbeds: a list with commas. */
    without: { type: 'string' },
    /** Only laws in whose names this regular expression is found. */
    filter: { type: 'string' },
    all: { type: 'boolean' },
    /** What failed is run once more when all has ended: a law that is kept then is told as unsteady. */
    again: { type: 'boolean' },
    'missing-packages': { type: 'boolean' },
  },
  allowPositionals: true,
});
/** In CI a part that is missing, and a law that did not run, is a failure: a green run means that everything ran. */
const everythingMustRun = Boolean(process.env['CI']) || given.all === true;
/** One that takes longer hangs. */
const fileLimitMs = 10 * 60_000;

interface FileResult extends FileTotals {
  readonly file: string;
  readonly tookMs: number;
}

const missing = missingParts();
// For CI, which installs them.
if (given['missing-packages'] === true) {
  const packages = missing.flatMap(({ debianPackage }) => debianPackage ?? []);
  console.log([...new Set(packages)].join('\n'));
  process.exit(0);
}
for (const { program, advice } of missing)
  console.log(`missing: ${program} (${advice}); laws that need it are skipped`);
const obstacles: Readonly<Record<Driver, string | undefined>> = {
  process: undefined,
  netns: nodesObstacle(),
  docker: dockerObstacle(),
  kind: kindObstacle(),
};
for (const [driver, obstacle] of Object.entries(obstacles)) {
  if (obstacle !== undefined) console.log(`no testbed ${driver}: ${obstacle}`);
}
const without = given.without?.split(',').map(driverOf) ?? [];
const isObstructed = Object.entries(obstacles).some(
  ([driver, obstacle]) => obstacle !== undefined && !without.includes(driverOf(driver)),
);
if ((missing.length > 0 || isObstructed) && everythingMustRun) {
  console.error('every real part must be there in CI');
  process.exit(1);
}

const files = positionals.length > 0 ? positionals : globSync('e2e/**/*.test.ts', { exclude: ['e2e/rules/**'] });
const runs = planRuns(files, given.driver === undefined ? undefined : driverOf(given.driver), without);
if (runs.length === 0) {
  console.error('there is no law on real parts for that: nothing was proven');
  process.exit(1);
}

// Ports, processes and the disk are shared: one file after the other.
const results: FileResult[] = [];
for (const run of runs) results.push(await runOne(run));
const unsteady = given.again === true ? await runAgain() : [];
tell(results);

/** Laws have bounds in real time, and a machine that is shared may give none: who fails twice breaks a law. Both outcomes are told. */
async function runAgain(): Promise<readonly string[]> {
  const kept: string[] = [];
  for (const [index, { failed }] of results.entries()) {
    const run = runs[index];
    if (failed === 0 || run === undefined) continue;
    console.log('\nonce more:');
    const second = await runOne(run);
    results[index] = second;
    if (second.failed === 0) kept.push(second.file);
  }
  return kept;
}

async function runOne(run: PlannedRun): Promise<FileResult> {
  const file = run.driver === undefined ? run.file : `${run.file} (${run.driver})`;
  const obstacle = run.needs === undefined ? undefined : obstacles[run.needs];
  if (obstacle !== undefined) {
    console.log(`﹣ ${file}: ${obstacle}`);
    return { file, tookMs: 0, passed: 0, skipped: 1, failed: 0 };
  }
  console.log(`\n${file}`);
  const startMs = performance.now();
  const command = [process.execPath, fileURLToPath(new URL('e2e-file.ts', import.meta.url)), run.file];
  // Its input is held open: with it, the file's process ends. It tells its totals on descriptor 3.
  const child = start(command, run, ['pipe', 'inherit', 'inherit', 'pipe']);
  const limit = setTimeout(() => {
    console.error(
      `${file} did not end within ${fileLimitMs / 60_000} min and was ended: it left something open, or hangs`,
    );
    child.kill('SIGKILL');
  }, fileLimitMs);
  const [totals] = await Promise.all([totalsFrom(child), once(child, 'close')]);
  clearTimeout(limit);
  return { file, tookMs: performance.now() - startMs, ...totals };
}

function start([program = '', ...args]: readonly string[], run: PlannedRun, stdio: StdioOptions): ChildProcess {
  const { driver = '', onlyNeed = '' } = run;
  const env = { PEILI_DRIVER: driver, PEILI_FILTER: given.filter ?? '', PEILI_NEED: onlyNeed };
  if (run.needsCapsule) return spawnInCapsule([program, ...args], stdio, env);
  return spawn(program, args, { stdio, env: { ...process.env, PATH: pathWithParts(), ...env } });
}

async function totalsFrom(child: ChildProcess): Promise<FileTotals> {
  const [, , , channel] = child.stdio;
  const told = channel instanceof Object && 'read' in channel ? await text(channel) : '';
  // A file whose process died told nothing.
  return told === '' ? { passed: 0, skipped: 0, failed: 1 } : (JSON.parse(told) as FileTotals);
}

function tell(all: readonly FileResult[]): void {
  const sum = (of: keyof FileTotals | 'tookMs'): number => all.reduce((total, result) => total + result[of], 0);
  const width = Math.max(...all.map(({ file }) => file.length));
  console.log();
  for (const { file, tookMs, passed, skipped, failed } of all) {
    const rest = [skipped > 0 ? `, ${skipped} skipped` : '', failed > 0 ? `, ${failed} FAILED` : ''].join('');
    console.log(`${file.padEnd(width)} ${(tookMs / 1000).toFixed(1).padStart(7)} s  ${passed} passed${rest}`);
  }
  console.log(
    `${all.length} files in ${Math.round(sum('tookMs') / 1000)} s: ${sum('passed')} laws passed, ${sum('skipped')} skipped, ${sum('failed')} failed`,
  );
  for (const file of unsteady) console.log(`unsteady: ${file} failed, and passed when it was run again`);
  if (sum('failed') > 0) process.exitCode = 1;
  if (sum('passed') + sum('failed') === 0) {
    console.error('no law has such a name: nothing was proven');
    process.exitCode = 1;
  }
  if (sum('skipped') > 0 && everythingMustRun) {
    console.error(`${sum('skipped')} laws were skipped, and in CI everything must run`);
    process.exitCode = 1;
  }
}
