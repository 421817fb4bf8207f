import { findScenario, parseScenario } from '../../sim/index.ts';
import type { Scenario } from '../../sim/index.ts';

/** The scenario of a name, as replays mean it: under that name. */
export function scenarioNamed(name: string): Scenario | undefined {
  const named = findScenario(name);
  return named === undefined ? undefined : { ...parseScenario(named.text, { file: name }).scenario, name };
}
