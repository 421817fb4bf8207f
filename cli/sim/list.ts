import { findScenario, namedScenarios, parseScenario } from '../../sim/index.ts';
import { wrapWords } from '../wrap-words.ts';
import type { SimIo } from './sim-io.ts';
import { unknownScenario } from './unknown-scenario.ts';

export interface ListOptions {
  readonly scenario: string | undefined;
  readonly json: boolean;
}

/** What there is to run, or one of it as it stands. */
export function list({ scenario, json }: ListOptions, { width, writeOut }: SimIo): Promise<number> {
  if (scenario !== undefined) {
    const named = findScenario(scenario);
    if (named === undefined) throw unknownScenario(scenario);
    writeOut(json ? `${JSON.stringify(named)}\n` : named.text);
    return Promise.resolve(0);
  }
  const all = namedScenarios.map(({ name, text }) => ({ name, shows: parseScenario(text).scenario.shows }));
  if (json) {
    writeOut(`${JSON.stringify({ scenarios: all })}\n`);
    return Promise.resolve(0);
  }
  const indent = Math.max(...all.map(({ name }) => name.length)) + 2;
  for (const { name, shows } of all) {
    const [first = '', ...more] = wrapWords(shows, width - indent);
    writeOut(`${name.padEnd(indent)}${first}\n${more.map((line) => `${' '.repeat(indent)}${line}\n`).join('')}`);
  }
  return Promise.resolve(0);
}
