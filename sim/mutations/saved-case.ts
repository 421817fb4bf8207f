import type { Scenario } from '../scenario/scenario.ts';
import type { MutationResult } from './run-mutations.ts';

/** The smallest run in which a planted bug is caught: a file of `sim/cases/`. Without the bug it is silent. */
export interface MutationCase {
  readonly mutation: string;
  readonly oracle: string;
  readonly seed: number;
  readonly scenario: Scenario;
}

/** Undefined where there was no kill. */
export function caseOf({ fate, name, scenario, seed, violation }: MutationResult): MutationCase | undefined {
  if (fate !== 'killed' || seed === undefined || violation === undefined) return undefined;
  return { mutation: name, oracle: violation.oracle, seed, scenario };
}

export function caseFileOf({ mutation }: MutationCase): string {
  return `mutation-${mutation.toLowerCase()}.json`;
}
