import type { Scenario } from '../../scenario/scenario.ts';
import { layerBytes } from './stage.ts';
import type { Stage } from './stage.ts';

export const second = 1_000_000;
export const half = layerBytes / 2;

export type Tell = (stage: Stage) => void | Promise<void>;

/** What an oracle is told by a test. */
export interface Story {
  /** Nothing is wrong with it. */
  readonly right: Tell;
  /** The same with what the oracle is there for; and a word of what it says then. */
  readonly wrong: Tell;
  readonly says: RegExp;
  readonly scenario?: Partial<Scenario>;
}

/** The whole of a layer to the client of node 0, its bytes as they are given. */
export const whole =
  (runs: readonly (readonly [number, number])[], how = 'complete'): Tell =>
  (stage) => {
    const exchange = stage.ask(stage.client(0), stage.mirror(0));
    stage.layerHead(exchange);
    for (const [offset, bytes] of runs) stage.bytes(exchange, offset, bytes);
    stage.ends(exchange, how);
  };
