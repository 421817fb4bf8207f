import type { Scenario } from '../scenario/scenario.ts';
import type { SimEvent } from '../run/trace.ts';
import type { World } from '../run/world.ts';
import type { Seen } from './seen.ts';

/** What an oracle sees of a run before its time begins. */
export interface OracleContext {
  readonly world: World;
  readonly scenario: Scenario;
  /** What is known of the exchange or the request that the event of now is of. */
  readonly seen: Seen;
  /** A law is broken, now. */
  readonly violate: (message: string) => void;
}

/** What is told of events, by their kind. */
export type EventHandlers = {
  readonly [Type in SimEvent['type']]?: (event: SimEvent & { readonly type: Type }) => void;
};

/** One law, told of what happens in a run. */
export interface Oracle {
  /** Told of some kinds of event. Most events are `bytes`: whoever can do without them is not in their way. */
  readonly on?: EventHandlers;
  /** Told of everything. */
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
