import type { PolicyName } from '../policies/named.ts';
import type { Bound } from './bound.ts';
import type { Scenario } from './scenario.ts';

/** A scenario, and what is to be looked at in it: what a scenario file says. */
export interface Plan {
  readonly scenario: Scenario;
  /** Compared with each other; the first one is what it is about. */
  readonly policies: readonly PolicyName[];
  /** Runs of each policy. */
  readonly seeds: number;
  readonly expect: readonly Expectation[];
}

/** What must be seen in every run of a policy, or the scenario has failed. */
export interface Expectation {
  readonly policy: PolicyName;
  readonly figure: FigureName;
  readonly bound: Bound;
}

/** `failed`: pulls; `pending`: pulls and pods; `upstreamCopies`: bytes that left the registry, in copies of all images that were pulled; `slowest`: the longest pull, or the pod that waited longest. */
export type FigureName = 'failed' | 'pending' | 'upstreamCopies' | 'upstreamRequests' | 'makespan' | 'slowest';
