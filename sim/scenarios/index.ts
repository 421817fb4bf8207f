import { coldStart } from './cold-start.ts';
import { holderStalls } from './holder-stalls.ts';
import { secondWave } from './second-wave.ts';

/** A scenario that comes with the program: a short file of YAML. */
export interface NamedScenario {
  readonly name: string;
  readonly text: string;
}

/** All of them, as they are listed. */
export const namedScenarios: readonly NamedScenario[] = Object.entries({
  'cold-start': coldStart,
  'second-wave': secondWave,
  'holder-stalls': holderStalls,
}).map(([name, text]) => ({ name, text: text.trimStart() }));

export function findScenario(name: string): NamedScenario | undefined {
  return namedScenarios.find((scenario) => scenario.name === name);
}
