import type { RunOptions } from './sim-commands.ts';
import { whole } from '../flag-values.ts';
import { nodesMax, seedMax, seedsMax } from './sim-flags.ts';

export interface GivenRun {
  readonly nodes?: string;
  readonly seed: string;
  readonly seeds?: string;
  readonly policy?: string;
  readonly set?: readonly string[];
  readonly report?: string;
  readonly json?: boolean;
}

export function readRunOptions(scenario: string, given: GivenRun): RunOptions {
  const { nodes, policy, report, seed, seeds, set = [], json = false } = given;
  return {
    scenario,
    nodes: nodes === undefined ? undefined : whole('--nodes', nodes, 1, nodesMax),
    seed: whole('--seed', seed, 0, seedMax),
    seeds: seeds === undefined ? undefined : whole('--seeds', seeds, 1, seedsMax),
    policies: policy?.split(',').map((name) => name.trim()),
    set,
    report,
    json,
  };
}
