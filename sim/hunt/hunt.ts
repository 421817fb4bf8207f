import { drawScenario } from '../draw/draw-scenario.ts';
import { installPoisonGuard } from '../kernel/poison-guard.ts';
import type { Violation } from '../oracles/oracle.ts';
import { simulate } from '../run/simulate.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { shrinkScenario } from './shrink-scenario.ts';

export interface HuntOptions {
  readonly firstSeed: number;
  /** From one seed to the next: as many hunters as share the work. @default 1 */
  readonly stride?: number;
  /** Goes on as long as it says so, with the number of seeds tried. */
  readonly goesOn: (tried: number) => boolean;
  /** One seed in so many is run twice and has to give the same hash. @default 20 */
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

/** Runs drawn scenarios, one seed after the other, with all laws watched. What breaks one is shrunk. */
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
    const scenario = drawScenario(seed);
    const outcome = await runOnce(scenario, seed);
    counts.tried += 1;
    counts.events += outcome.events;
    const violation =
      outcome.violation ?? (await differs(scenario, seed, outcome.hash, counts.tried % checkEvery === 0));
    if (violation === undefined) continue;
    const shows = async (smaller: Scenario): Promise<boolean> =>
      (await runOnce(smaller, seed)).violation?.oracle === violation.oracle;
    const smallest = await shrinkScenario(scenario, shows);
    const last = (await runOnce(smallest, seed)).violation ?? violation;
    const each = { seed, violation: last, scenario: smallest };
    found.push(each);
    onFound?.(each);
  }
  return { ...counts, found };
}

interface Outcome {
  readonly violation: Violation | undefined;
  readonly events: number;
  readonly hash: string;
}

/** A run that fails breaks a law too. */
export async function runOnce(scenario: Scenario, seed: number, hasStacks = false): Promise<Outcome> {
  try {
    const options = { seed, drain: 'tick', ...(hasStacks ? {} : { stackFrames: 0 }) } as const;
    const { events, hash, violations } = await simulate(scenario, options);
    return { violation: violations[0], events, hash };
  } catch (cause) {
    // The same again, to learn where.
    if (!hasStacks) return runOnce(scenario, seed, true);
    const message = cause instanceof Error ? `${cause.message}\n${cause.stack}` : String(cause);
    return { violation: { oracle: 'nothingThrows', atUs: 0, event: 0, message }, events: 0, hash: '' };
  }
}

async function differs(
  scenario: Scenario,
  seed: number,
  hash: string,
  isChecked: boolean,
): Promise<Violation | undefined> {
  if (!isChecked) return undefined;
  const again = await runOnce(scenario, seed);
  if (again.hash === hash) return undefined;
  return { oracle: 'runsAreEqual', atUs: 0, event: 0, message: `the same run gave ${hash} and then ${again.hash}` };
}
