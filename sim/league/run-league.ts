import type { Policy } from '../policies/policy.ts';
import { policies as named } from '../policies/named.ts';
import type { PolicyName } from '../policies/named.ts';
import { simulate } from '../run/simulate.ts';
import type { SimResult, SimulateOptions } from '../run/simulate.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { league } from './league.ts';
import type { LeagueRow } from './league.ts';
import type { Estimate } from './statistics.ts';

export interface RunLeagueOptions {
  /** Of names, or your own. */
  readonly policies: readonly (PolicyName | Policy)[];
  /** @default 1 */
  readonly firstSeed?: number;
  /** So many are run in any case. @default 5 */
  readonly seedsMin?: number;
  /** @default 100 */
  readonly seedsMax?: number;
  /** All bands of the makespan are to be no wider than this part of their median. @default 0.1 */
  readonly bandWidth?: number;
  /** Whether to begin with another seed, asked before each: a budget of time is its caller's. @default always */
  readonly goesOn?: () => boolean;
  readonly simulate?: Omit<SimulateOptions, 'seed' | 'policy'>;
  /** After each run. */
  readonly onRun?: (result: SimResult) => void;
}

export interface LeagueOutcome {
  readonly rows: readonly LeagueRow[];
  readonly results: readonly SimResult[];
  /** `narrow`: the bands are; `seeds`: all seeds were run, and they are not; `stopped`: `goesOn` said no. */
  readonly end: 'narrow' | 'seeds' | 'stopped';
}

/** Runs all policies on one seed after the other, each on the same ones, until what can be said of them is exact enough. */
export async function runLeague(scenario: Scenario, options: RunLeagueOptions): Promise<LeagueOutcome> {
  const { bandWidth = 0.1, firstSeed = 1, goesOn = () => true, onRun, seedsMax = 100, seedsMin = 5 } = options;
  const results: SimResult[] = [];
  const finish = (end: LeagueOutcome['end']): LeagueOutcome => ({ rows: league(scenario, results), results, end });
  for (let count = 0; count < seedsMax; count += 1) {
    if (!goesOn()) return finish('stopped');
    for (const chosen of options.policies) {
      const policy = typeof chosen === 'string' ? named[chosen] : chosen;
      const result = await simulate(scenario, { ...options.simulate, policy, seed: firstSeed + count });
      results.push(result);
      onRun?.(result);
    }
    if (count + 1 >= seedsMin && league(scenario, results).every((row) => isNarrow(row, bandWidth)))
      return finish('narrow');
  }
  return finish('seeds');
}

function isNarrow({ against, makespan }: LeagueRow, width: number): boolean {
  const bands = against === undefined ? [makespan] : [makespan, against.makespan];
  return bands.every((band) => widthOf(band) <= width);
}

function widthOf({ high, low, median }: Estimate): number {
  return median === 0 ? 0 : (high - low) / median;
}
