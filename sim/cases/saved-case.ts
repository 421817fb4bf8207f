import { decodeJson, encodeJson } from '../replay/plain-json.ts';
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

/** Throws where the text is no case. */
export function parseCase(text: string): SavedCase {
  const value = decodeJson(text);
  if (isCase(value)) return value;
  throw new RangeError('this file holds no case: oracle, seed and scenario are what one has');
}

function isCase(value: unknown): value is SavedCase {
  if (typeof value !== 'object' || value === null) return false;
  const field = (name: string): unknown => Reflect.get(value, name);
  const isNamed = typeof field('oracle') === 'string' && typeof field('seed') === 'number';
  const scenario = field('scenario');
  return isNamed && typeof scenario === 'object' && scenario !== null && 'cluster' in scenario;
}
