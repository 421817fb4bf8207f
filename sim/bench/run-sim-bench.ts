import { drawScenario } from '../draw/draw-scenario.ts';
import { installPoisonGuard } from '../kernel/poison-guard.ts';
import { runReplay } from '../replay/run-replay.ts';
import { simulate } from '../run/simulate.ts';
import type { SimResult, SimulateOptions } from '../run/simulate.ts';
import type { World } from '../run/world.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { runKernelAlone } from './bench-kernel.ts';
import { benchNames } from './bench-row.ts';
import type { BenchHost, BenchName, BenchRow } from './bench-row.ts';
import { benchScenario } from './bench-scenarios.ts';

export interface SimBenchOptions {
  /** @default all but those of 10,000 nodes, which take minutes */
  readonly rows?: readonly BenchName[];
  /** Small runs, to see that all of it works: the figures mean nothing. @default false */
  readonly isSmall?: boolean;
  /** Told of each row when it is known. */
  readonly onRow?: (row: BenchRow) => void;
}

/** Measures the simulator on this machine, one core, row by row. Times are the host's: the simulator itself sees none. */
export async function runSimBench(host: BenchHost, options: SimBenchOptions = {}): Promise<readonly BenchRow[]> {
  const { rows = defaultRows, isSmall = false, onRow } = options;
  const found: BenchRow[] = [];
  for (const measure of measurements) {
    if (!measure.names.some((name) => rows.includes(name))) continue;
    host.collectGarbage?.();
    for (const row of await measure.run(host, isSmall)) {
      if (!rows.includes(row.name)) continue;
      found.push(row);
      onRow?.(row);
    }
  }
  return found;
}

interface Measurement {
  readonly names: readonly BenchName[];
  readonly run: (host: BenchHost, isSmall: boolean) => Promise<readonly BenchRow[]>;
}

const defaultRows = benchNames.filter((name) => !name.endsWith('-10000'));

const measurements: readonly Measurement[] = [
  { names: ['kernel'], run: async (host, isSmall) => [await benchKernel(host, isSmall)] },
  { names: ['core'], run: async (host, isSmall) => [await benchCore(host, isSmall)] },
  { names: ['cold-start-100'], run: async (host, isSmall) => [await benchColdStart100(host, isSmall)] },
  { names: ['cold-start-1000', 'memory-1000'], run: (host, isSmall) => benchLarge(host, isSmall ? 4 : 1_000, 1_000) },
  {
    names: ['cold-start-10000', 'memory-10000'],
    run: (host, isSmall) => benchLarge(host, isSmall ? 4 : 10_000, 10_000),
  },
  { names: ['small-seeds'], run: async (host, isSmall) => [await benchSmallSeeds(host, isSmall)] },
  { names: ['replay'], run: async (host, isSmall) => [await benchReplay(host, isSmall)] },
];

const megabyte = 1_000_000;
const mebibyte = 1_048_576;
const gibibyte = 1_073_741_824;
/** As a hunt runs them. */
const fast = { drain: 'tick', stackFrames: 0 } as const satisfies SimulateOptions;

async function benchKernel(host: BenchHost, isSmall: boolean): Promise<BenchRow> {
  // Once for the compiler.
  await runKernelAlone(100, isSmall ? 1_000 : 1_000_000);
  const { result, wallMs } = await timed(host, () => runKernelAlone(100, isSmall ? 10_000 : 3_000_000));
  const { executed: events } = result;
  return rate('kernel', '100 nodes that plan and cancel, nothing else', events, wallMs, [3e6, 8e6]);
}

async function benchCore(host: BenchHost, isSmall: boolean): Promise<BenchRow> {
  const cluster = {
    nodes: isSmall ? 4 : 50,
    layerBytes: Array.from({ length: 10 }, () => 50 * megabyte),
    restAfterUs: 60_000_000,
    upstreamBytesPerSecond: 125 * megabyte,
  };
  // Once for the compiler.
  await simulate(benchScenario({ ...cluster, nodes: isSmall ? 2 : 20 }), fast);
  const { result, wallMs } = await timed(host, () => simulate(benchScenario(cluster), fast));
  const what = '50 production mirrors with all laws watched: one pulls 10 x 50 MB, then the others';
  return rate('core', what, result.events, wallMs, [150_000, 400_000]);
}

async function benchColdStart100(host: BenchHost, isSmall: boolean): Promise<BenchRow> {
  const scenario = benchScenario({
    nodes: isSmall ? 4 : 100,
    layerBytes: Array.from({ length: 10 }, () => 50 * megabyte),
    restAfterUs: 0,
    upstreamBytesPerSecond: 1_250 * megabyte,
  });
  const { result, wallMs } = await timed(host, () => simulate(scenario, fast));
  return duration('cold-start-100', '100 nodes pull 10 x 50 MB at once', result.events, wallMs, [2, 0.5]);
}

async function benchLarge(host: BenchHost, nodes: number, named: 1_000 | 10_000): Promise<readonly BenchRow[]> {
  const isTen = named === 10_000;
  const scenario = benchScenario({
    nodes,
    layerBytes: Array.from({ length: 8 }, () => 128 * mebibyte),
    restAfterUs: 0,
    upstreamBytesPerSecond: 12_500 * megabyte,
  });
  const memory = { beforeBytes: host.memoryBytes(), peakBytes: 0 };
  const onWorld = (world: World): void => {
    sampleMemory(world, scenario, () => {
      memory.peakBytes = Math.max(memory.peakBytes, host.memoryBytes() - memory.beforeBytes);
    });
  };
  const { result, wallMs } = await timed(host, () => simulate(scenario, { ...fast, watched: {}, onWorld }));
  const { events } = result;
  const text = `${named} nodes pull 1 GiB at once, ${Math.round(events / (nodes * 128))} events for each 8 MiB of a node`;
  return [
    duration(isTen ? 'cold-start-10000' : 'cold-start-1000', text, events, wallMs, isTen ? [300, 60] : [10, 3]),
    {
      name: isTen ? 'memory-10000' : 'memory-1000',
      what: `what that run took at most, beyond what the process had`,
      value: memory.peakBytes,
      unit: 'bytes',
      floor: isTen ? 4 * gibibyte : 512 * mebibyte,
      stretch: isTen ? gibibyte : 128 * mebibyte,
      events,
      wallMs,
    },
  ];
}

/** A look each virtual second, and at the end of the world's making. */
function sampleMemory({ kernel }: World, { untilUs }: Scenario, look: () => void): void {
  const again = (): void => {
    look();
    if (kernel.nowUs() < untilUs) kernel.schedule(1_000_000, again);
  };
  again();
}

async function benchSmallSeeds(host: BenchHost, isSmall: boolean): Promise<BenchRow> {
  // It stands through all runs of a hunt too: each joins it.
  const guard = installPoisonGuard();
  try {
    return await benchSeeds(host, isSmall);
  } finally {
    guard.dispose();
  }
}

async function benchSeeds(host: BenchHost, isSmall: boolean): Promise<BenchRow> {
  const counts = { seeds: 0, events: 0, wallMs: 0 };
  // The compiler has done its part by then; an hour has hundreds of thousands.
  const warm = isSmall ? 0 : 300;
  for (let seed = 1; counts.seeds < (isSmall ? 2 : 200); seed += 1) {
    const scenario = drawScenario(seed);
    const { result, wallMs } = await timed(host, () => simulate(scenario, { ...fast, seed }));
    if (seed <= warm || result.events > smallEventsMax) continue;
    counts.seeds += 1;
    counts.events += result.events;
    counts.wallMs += wallMs;
  }
  const what = `drawn scenarios of at most ${smallEventsMax} events (${Math.round(counts.events / counts.seeds)} on average), all laws watched`;
  const value = (counts.seeds * 3_600_000) / counts.wallMs;
  return {
    name: 'small-seeds',
    what,
    value,
    unit: 'seeds/h',
    floor: 250_000,
    stretch: 500_000,
    events: counts.events,
    wallMs: counts.wallMs,
  };
}

async function benchReplay(host: BenchHost, isSmall: boolean): Promise<BenchRow> {
  const seeds = Array.from({ length: isSmall ? 2 : 20 }, (_, seed) => seed + 1);
  const runs: SimResult[] = [];
  for (const seed of seeds) runs.push(await simulate(drawScenario(seed), { ...fast, seed }));
  const longest = runs.reduce((one, other) => (other.events > one.events ? other : one));
  const { seed, events } = longest;
  const replay = { scenario: drawScenario(seed), seed, policy: 'peili', event: events } as const;
  const { wallMs } = await timed(host, () => runReplay(replay));
  return duration(
    'replay',
    `the longest of ${seeds.length} drawn scenarios up to its last event`,
    events,
    wallMs,
    [1, 1],
  );
}

async function timed<T>(
  host: BenchHost,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly wallMs: number }> {
  const startMs = host.nowMs();
  const result = await work();
  return { result, wallMs: host.nowMs() - startMs };
}

type Bounds = readonly [floor: number, stretch: number];

function rate(name: BenchName, what: string, events: number, wallMs: number, [floor, stretch]: Bounds): BenchRow {
  return { name, what, value: (events * 1_000) / wallMs, unit: 'events/s', floor, stretch, events, wallMs };
}

function duration(name: BenchName, what: string, events: number, wallMs: number, [floor, stretch]: Bounds): BenchRow {
  return { name, what, value: wallMs / 1_000, unit: 's', floor, stretch, events, wallMs };
}

/** What counts as a small seed. */
const smallEventsMax = 2_000;
