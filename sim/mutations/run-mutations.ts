import { shrinkScenario } from '../hunt/shrink-scenario.ts';
import { huntedScenario } from '../hunt/try-seed.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { mutations } from './catalogue/all.ts';
import type { Hunt, Mutation } from './mutation.ts';
import type { CaseViolation } from './run-case.ts';
import { assertSources, PlantedThread } from './thread.ts';
import type { HostClock } from './thread.ts';

export interface RunMutationsOptions {
  /** Of this machine. */
  readonly clock: HostClock;
  /** Names of bugs. @default all */
  readonly only?: readonly string[];
  /** How long one bug is hunted at most, and then its scenario made smaller, microseconds. @default 60 s */
  readonly budgetUs?: number;
  /** Bugs hunted at once, a thread each. @default 1 */
  readonly workers?: number;
  /** Hunted in drawn scenarios, one seed after the other, not in the one that shows the bug. Any oracle may see it. @default false */
  readonly drawn?: boolean;
  /** Whether the scenario of a kill is made as small as it can be. @default true */
  readonly shrink?: boolean;
  readonly signal?: AbortSignal;
  /** As soon as one has been hunted. */
  readonly onResult?: (result: MutationResult) => void;
}

/**
 * `killed`: by an oracle that the catalogue names; `missed`: only others saw it; `survived`: nobody did; `noisy`: the same runs are not silent without the bug.
 */
export type Fate = 'killed' | 'missed' | 'survived' | 'noisy';

export interface MutationResult {
  readonly name: string;
  readonly wrong: string;
  readonly fate: Fate;
  readonly violation: CaseViolation | undefined;
  /** The seed that it was killed with. */
  readonly seed: number | undefined;
  /** Seeds until then, or all. */
  readonly seedsTried: number;
  /** Of the runs with the bug in them, until it was killed. */
  readonly cpuUs: number;
  /** The scenario of the kill, as small as it was made. */
  readonly scenario: Scenario;
}

/** Plants each bug in turn, and sees whether the oracles catch it. Throws where there are no sources to plant it in. */
export async function runMutations(options: RunMutationsOptions): Promise<readonly MutationResult[]> {
  const { clock, only, workers = 1, onResult, signal } = options;
  assertSources();
  const waiting = chosen(only);
  const results = new Map<string, MutationResult>();
  const work = async (): Promise<void> => {
    const healthy = new PlantedThread(clock, []);
    try {
      for (let next = waiting.shift(); next !== undefined && signal?.aborted !== true; next = waiting.shift()) {
        const result = await huntOne(next, healthy, options);
        results.set(next.name, result);
        onResult?.(result);
      }
    } finally {
      await healthy.end();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return mutations.flatMap(({ name }) => results.get(name) ?? []);
}

function chosen(only: readonly string[] | undefined): Mutation[] {
  const names = new Set(mutations.map(({ name }) => name));
  const unknown = only?.find((name) => !names.has(name));
  if (unknown !== undefined) throw new RangeError(`no mutation ${unknown}: there are ${[...names].join(', ')}`);
  return mutations.filter(({ name }) => only?.includes(name) ?? true);
}

async function huntOne(
  { caughtBy, hunt, name, patches, wrong }: Mutation,
  healthy: PlantedThread,
  { clock, budgetUs = 60_000_000, drawn = false, shrink = true, signal }: RunMutationsOptions,
): Promise<MutationResult> {
  const untilUs = clock.nowUs() + budgetUs;
  const isTimeUp = (): boolean => clock.nowUs() >= untilUs || signal?.aborted === true;
  const state = { cpuUs: 0, seedsTried: 0, scenario: hunt.scenario };
  const result = (fate: Fate, violation?: CaseViolation, seed?: number): MutationResult => {
    return { name, wrong, fate, violation, seed, ...state };
  };
  const noise = drawn ? undefined : await firstViolation(hunt.scenario, hunt.seeds, healthy);
  if (noise !== undefined) return result('noisy', noise.violation, noise.seed);
  const sick = new PlantedThread(clock, patches);
  try {
    let other: { violation: CaseViolation; seed: number } | undefined;
    for (const { scenario, seed } of drawn ? drawnRuns() : fixedRuns(hunt)) {
      if (isTimeUp()) break;
      const { violation, cpuUs } = await sick.run(scenario, seed);
      state.seedsTried += 1;
      state.cpuUs += cpuUs;
      if (violation === undefined) continue;
      if (drawn && (await healthy.run(scenario, seed)).violation !== undefined) continue;
      if (drawn || caughtBy.includes(violation.oracle)) {
        const shows = async (smaller: Scenario): Promise<boolean> =>
          !isTimeUp() &&
          (await sick.run(smaller, seed)).violation?.oracle === violation.oracle &&
          (await healthy.run(smaller, seed)).violation === undefined;
        state.scenario = shrink ? await shrinkScenario(scenario, shows, triesMax) : scenario;
        return result('killed', violation, seed);
      }
      other ??= { violation, seed };
    }
    return other === undefined ? result('survived') : result('missed', other.violation, other.seed);
  } finally {
    await sick.end();
  }
}

interface Run {
  readonly scenario: Scenario;
  readonly seed: number;
}

function fixedRuns({ scenario, seeds }: Hunt): readonly Run[] {
  return seeds.map((seed) => ({ scenario, seed }));
}

function* drawnRuns(): Iterable<Run> {
  for (let seed = 1; ; seed += 1) yield { scenario: huntedScenario(seed), seed };
}

/** Scenarios of the catalogue are small as they are. */
const triesMax = 60;

async function firstViolation(
  scenario: Scenario,
  seeds: readonly number[],
  thread: PlantedThread,
): Promise<{ readonly violation: CaseViolation; readonly seed: number } | undefined> {
  for (const seed of seeds) {
    const { violation } = await thread.run(scenario, seed);
    if (violation !== undefined) return { violation, seed };
  }
  return undefined;
}
