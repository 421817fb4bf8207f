import type { Scenario } from '../scenario/scenario.ts';
import type { SimEvent } from '../run/trace.ts';
import type { World } from '../run/world.ts';

/** What an oracle sees of a run before its time begins. */
export interface OracleContext {
  readonly world: World;
  readonly scenario: Scenario;
  /** A law is broken, now. */
  readonly violate: (message: string) => void;
}

/** One law, told of everything that happens in a run. */
export interface Oracle {
  onEvent?(event: SimEvent): void;
  /** When all pulls have ended, or the time is up. */
  atEnd?(): void;
  /** When all mirrors have let go of everything, a moment later. */
  atRest?(): void;
}

export type OracleFactory = (context: OracleContext) => Oracle;

export interface Violation {
  /** The oracle's name. */
  readonly oracle: string;
  readonly atUs: number;
  /** Events of the kernel until then: where a replay stops. */
  readonly event: number;
  readonly message: string;
}
