import type { Scenario } from '../scenario/scenario.ts';

/** A bug that somebody could write, and that is planted into the sources as they are loaded: the product knows nothing of it. */
export interface Mutation {
  /** `M3`. */
  readonly name: string;
  /** What is wrong, in one sentence. */
  readonly wrong: string;
  /** Where it was seen: a project, and its issue or its version. */
  readonly seen?: string;
  readonly patches: readonly [Patch, ...Patch[]];
  /** The oracles of which one must catch it. */
  readonly caughtBy: readonly [string, ...string[]];
  readonly hunt: Hunt;
}

/** A change of one source file. */
export interface Patch {
  /** From the repository's root. */
  readonly file: string;
  /** Text that is in the file exactly once. */
  readonly anchor: string;
  readonly replacement: string;
}

/** Where the bug shows. Without the bug the same runs must be silent, or they prove nothing. */
export interface Hunt {
  readonly scenario: Scenario;
  readonly seeds: readonly [number, ...number[]];
}
