import { simulate } from '../run/simulate.ts';
import type { World } from '../run/world.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** What a run broke: the oracle, and what it said. */
export interface CaseViolation {
  readonly oracle: string;
  readonly message: string;
}

/** Runs a scenario once with all laws watched. */
export async function runCase(
  scenario: Scenario,
  seed: number,
  onWorld: (world: World) => void,
): Promise<CaseViolation | undefined> {
  const { violations } = await simulate(scenario, { seed, drain: 'tick', onWorld, stackFrames: 0 });
  const [first] = violations;
  return first === undefined ? undefined : { oracle: first.oracle, message: first.message };
}
