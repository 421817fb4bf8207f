import { decodeJson, encodeJson } from '../replay/plain-json.ts';
import { checkScenario } from '../scenario/check-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** A run in which something was wrong once: it stays in the repository, and is run by each test. */
export interface SavedCase {
  /** What was wrong, in a sentence: which part, and what it did. Of a planted bug its catalogue says it. */
  readonly was?: string;
  /** The oracle that saw it. */
  readonly oracle: string;
  /** A planted bug by its name: without the bug the run is right, as all others are. */
  readonly mutation?: string;
  readonly seed: number;
  readonly scenario: Scenario;
}

/** As it is written to a file: one line for each value of the scenario, so that a change of one is seen. */
export function formatCase(saved: SavedCase): string {
  const { scenario, ...rest } = saved;
  const lines = Object.entries({ ...rest, scenario: undefined }).flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${JSON.stringify(name)}: ${encodeJson(value)},`],
  );
  const parts = Object.entries(scenario).map(([name, value]) => `    ${JSON.stringify(name)}: ${encodeJson(value)}`);
  return `{\n${lines.join('\n')}\n  "scenario": {\n${parts.join(',\n')}\n  }\n}\n`;
}

/** Throws a `RangeError` where the text is no case: what is wrong, with its place. */
export function parseCase(text: string): SavedCase {
  const value = decodeJson(text);
  const isNamed = typeof fieldOf(value, 'oracle') === 'string' && typeof fieldOf(value, 'seed') === 'number';
  if (!isNamed) throw new RangeError('this file holds no case: oracle, seed and scenario are what one has');
  const problem = checkScenario(fieldOf(value, 'scenario'));
  if (problem !== undefined) throw new RangeError(`the scenario of this case is wrong: ${problem}`);
  return value as SavedCase;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
