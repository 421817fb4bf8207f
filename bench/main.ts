import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLayoutWriter, outsideCapsule } from '../testbed/index.ts';
import { toolVersions, withBench } from './bench.ts';
import { isMet, oursName } from './measurement.ts';
import type { Line } from './measurement.ts';
import { parseArguments, usage } from './options.ts';
import type { BenchArguments } from './options.ts';
import { oursProgram, peerProgram, startMirror, untilReady } from './programs/mirror.ts';
import type { MirrorProgram } from './programs/mirror.ts';
import { machineBusySeconds } from './programs/usage.ts';
import { formatTable } from './report.ts';
import { rowGroups } from './rows/all.ts';

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** How busy others keep this machine, in CPUs. */
async function othersBusy(): Promise<number> {
  const before = machineBusySeconds();
  const startedMs = performance.now();
  await sleep(1000);
  return (machineBusySeconds() - before) / ((performance.now() - startedMs) / 1000);
}

function describeBusy(busy: Readonly<Record<string, number>>): string {
  return Object.entries(busy)
    .map(([rows, cpusBusy]) => `${cpusBusy} before ${rows}`)
    .join(', ');
}

/** Rows on containerd nodes run in a capsule, all rows of this call with them. True: that was done, and this process has nothing left to do. */
function wentIntoCapsule(obstacle: string | undefined): boolean {
  if (obstacle === undefined || process.getuid?.() !== 0 || process.platform !== 'linux') return false;
  const tool = (name: string): string => join(import.meta.dirname, '../tools', name);
  const node = (args: readonly string[]): boolean =>
    spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
  say('bringing containerd, and opening namespaces for its nodes ...');
  const isDone =
    spawnSync(process.execPath, [tool('real-parts.ts')], { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0 &&
    node([tool('capsule.ts'), process.execPath, import.meta.filename, ...process.argv.slice(2)]);
  if (!isDone) process.exitCode = 1;
  return true;
}

/** Another mirror may speak Spegel's flags alone: then it is in the rows on containerd nodes, and not in these. */
async function startsOnLoopback(mirror: MirrorProgram): Promise<boolean> {
  if (mirror.name === oursName) return true;
  const directory = await mkdtemp(join(tmpdir(), 'peili-bench-'));
  try {
    const { directory: store } = await createLayoutWriter(directory);
    const node = await startMirror(mirror, { store, bootstrap: [] });
    try {
      await untilReady(node);
      return true;
    } catch {
      say(`${mirror.name} does not start as docs/benchmarks.md says of rows on loopback, and is left out of them`);
      return false;
    } finally {
      await node.program.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function filterInTurn<T>(values: readonly T[], isKept: (value: T) => Promise<boolean>): Promise<T[]> {
  const kept: T[] = [];
  for (const value of values) if (await isKept(value)) kept.push(value);
  return kept;
}

async function run(args: BenchArguments): Promise<void> {
  const groups = rowGroups.filter(({ rows }) => rows.some((row) => args.rows.has(row)));
  const obstacle = groups.some(({ onNodes }) => onNodes) ? await outsideCapsule() : undefined;
  if (wentIntoCapsule(obstacle)) return;
  const versions = toolVersions();
  const nodeArgs = args.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${args.profile}`];
  const mirrors = [oursProgram(nodeArgs), ...args.peers.map(({ name, program }) => peerProgram(name, program))];
  const onLoopback = groups.some(({ onNodes }) => onNodes !== true)
    ? await filterInTurn(mirrors, startsOnLoopback)
    : mirrors;
  const lines: Line[] = [];
  const busy: Record<string, number> = {};
  for (const group of groups) {
    const wanted = new Set(group.rows.filter((row) => args.rows.has(row)));
    if (group.onNodes === true && obstacle !== undefined) {
      const why = process.getuid?.() === 0 ? obstacle : 'containerd nodes take Linux and root: sudo npm run bench';
      say(`${[...wanted].join(', ')} could not be measured: ${why}`);
      process.exitCode = 1;
      continue;
    }
    busy[[...wanted].join(', ')] = Math.round((await othersBusy()) * 100) / 100;
    say(`measuring ${[...wanted].join(', ')} ...`);
    try {
      const { patienceMs, quick, rounds } = args;
      const subjects = group.onNodes === true ? mirrors : onLoopback;
      const measured = await withBench({ mirrors: subjects, rounds, quick, patienceMs, say }, versions, (bench) =>
        group.measure(bench, wanted),
      );
      // Who stops a long call has what was measured until then.
      say(formatTable(measured));
      lines.push(...measured);
    } catch (error) {
      say(`${[...wanted].join(', ')} could not be measured: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? '',
    kernel: release(),
    node: process.version,
    ...versions,
    othersBusyCpus: busy,
  };
  console.log(formatTable(lines));
  console.log(
    `\n${machine.cpus} x ${machine.model}, Linux ${machine.kernel}, node ${machine.node}; CPUs that others kept busy: ${describeBusy(busy)} (load ${(loadavg()[0] ?? 0).toFixed(1)}); nothing is pinned${args.quick ? '; --quick: no results' : ''}`,
  );
  if (args.json) {
    console.log(
      JSON.stringify({ machine, quick: args.quick, lines: lines.map((line) => ({ ...line, met: isMet(line) })) }),
    );
  }
}

try {
  await run(parseArguments(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
