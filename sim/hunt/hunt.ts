import { installPoisonGuard } from '../kernel/poison-guard.ts';
import type { Violation } from '../oracles/oracle.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { shrinkScenario } from './shrink-scenario.ts';
import { huntedScenario, recheck, runOnce } from './try-seed.ts';
import type { Outcome } from './try-seed.ts';

export interface HuntOptions {
  readonly firstSeed: number;
  /** From one seed to the next: as many hunters as share the work. @default 1 */
  readonly stride?: number;
  /** Goes on as long as it says so, with the number of seeds tried. */
  readonly goesOn: (tried: number) => boolean;
  /** One seed in so many is run twice, promises drained either way, and has to give the same hash. @default 20 */
  readonly checkEvery?: number;
  readonly onFound?: (found: Found) => void;
}

export interface Found {
  readonly seed: number;
  readonly violation: Violation;
  /** The smallest scenario that breaks the same law. */
  readonly scenario: Scenario;
}

export interface HuntResult {
  readonly tried: number;
  readonly events: number;
  readonly found: readonly Found[];
}

/** Runs drawn scenarios, one seed after the other, with all laws watched. What breaks one is shrunk. In this thread: `huntInThreads` takes several. */
export async function hunt(options: HuntOptions): Promise<HuntResult> {
  // It stands through all runs: each joins it.
  const guard = installPoisonGuard();
  try {
    return await huntGuarded(options);
  } finally {
    guard.dispose();
  }
}

async function huntGuarded(options: HuntOptions): Promise<HuntResult> {
  const { checkEvery = 20, firstSeed, goesOn, onFound, stride = 1 } = options;
  const found: Found[] = [];
  const counts = { tried: 0, events: 0 };
  for (let seed = firstSeed; goesOn(counts.tried); seed += stride) {
    counts.tried += 1;
    const outcome = await trySeed(seed, counts.tried % checkEvery === 0);
    counts.events += outcome.events;
    if (outcome.violation === undefined) continue;
    const each = await makeSmall(seed, outcome.violation);
    found.push(each);
    onFound?.(each);
  }
  return { ...counts, found };
}

/** One seed, once, or twice to see that it is the same. */
export async function trySeed(seed: number, isChecked: boolean): Promise<Outcome> {
  const scenario = huntedScenario(seed);
  const outcome = await runOnce(scenario, seed);
  if (!isChecked || outcome.violation !== undefined) return outcome;
  return { ...outcome, violation: await recheck(scenario, seed, outcome) };
}

/** The smallest scenario of this seed that breaks the same law. */
export async function makeSmall(seed: number, violation: Violation, triesMax?: number): Promise<Found> {
  const shows = async (smaller: Scenario): Promise<boolean> => {
    const outcome = await runOnce(smaller, seed);
    const broken = outcome.violation ?? (await differs(smaller, outcome));
    return broken?.oracle === violation.oracle;
  };
  const differs = async (smaller: Scenario, outcome: Outcome): Promise<Violation | undefined> =>
    violation.oracle === 'runsAreEqual' ? recheck(smaller, seed, outcome) : undefined;
  const scenario = await shrinkScenario(huntedScenario(seed), shows, triesMax);
  const last = (await runOnce(scenario, seed)).violation ?? violation;
  return { seed, violation: last, scenario };
}
