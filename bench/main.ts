import { cpus, loadavg, release } from 'node:os';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { toolVersions, withBench } from './bench.ts';
import { isMet } from './measurement.ts';
import type { Line } from './measurement.ts';
import { parseArguments, usage } from './options.ts';
import type { BenchArguments } from './options.ts';
import { oursProgram, peerProgram } from './programs/mirror.ts';
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

async function run(args: BenchArguments): Promise<void> {
  const versions = toolVersions();
  const nodeArgs = args.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${args.profile}`];
  const mirrors = [oursProgram(nodeArgs), ...args.peers.map(({ name, program }) => peerProgram(name, program))];
  const lines: Line[] = [];
  const busy: Record<string, number> = {};
  for (const group of rowGroups) {
    const wanted = new Set(group.rows.filter((row) => args.rows.has(row)));
    if (wanted.size === 0) continue;
    busy[[...wanted].join(', ')] = Math.round((await othersBusy()) * 100) / 100;
    say(`measuring ${[...wanted].join(', ')} ...`);
    try {
      const { quick, rounds } = args;
      lines.push(
        ...(await withBench({ mirrors, rounds, quick, say }, versions, (bench) => group.measure(bench, wanted))),
      );
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
