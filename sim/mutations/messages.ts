import type { Scenario } from '../scenario/scenario.ts';
import type { Patch } from './mutation.ts';
import type { CaseViolation } from './run-case.ts';

/** What a thread is begun with. */
export interface PlantedData {
  readonly patches: readonly Patch[];
  /** Of the repository, as a URL. */
  readonly root: string;
}

export interface RunOrder {
  readonly id: number;
  readonly scenario: Scenario;
  readonly seed: number;
}

export interface RunReport {
  readonly id: number;
  readonly violation: CaseViolation | undefined;
  /** Of this thread, for this run. */
  readonly cpuUs: number;
}
