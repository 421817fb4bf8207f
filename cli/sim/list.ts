import { PeiliError } from '../../core/index.ts';
import { findScenario, namedScenarios, parseScenario } from '../../sim/index.ts';
import type { SimIo } from './sim-io.ts';

export interface ListOptions {
  readonly scenario: string | undefined;
  readonly json: boolean;
}

/** What there is to run, or one of it as it stands. */
export function list({ scenario, json }: ListOptions, { writeOut }: SimIo): Promise<number> {
  if (scenario !== undefined) {
    const named = findScenario(scenario);
    if (named === undefined) {
      const names = namedScenarios.map(({ name }) => name).join(', ');
      throw new PeiliError('OPTION_INVALID', `${JSON.stringify(scenario)} is no scenario: there are ${names}`);
    }
    writeOut(json ? `${JSON.stringify(named)}\n` : named.text);
    return Promise.resolve(0);
  }
  const all = namedScenarios.map(({ name, text }) => ({ name, shows: parseScenario(text).scenario.shows }));
  if (json) {
    writeOut(`${JSON.stringify({ scenarios: all })}\n`);
    return Promise.resolve(0);
  }
  const width = Math.max(...all.map(({ name }) => name.length));
  for (const { name, shows } of all) writeOut(`${name.padEnd(width)}  ${shows}\n`);
  return Promise.resolve(0);
}
