import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { PeiliError } from '../../core/index.ts';
import { findScenario, namedScenarios, parseScenario, ScenarioError } from '../../sim/index.ts';
import type { Plan } from '../../sim/index.ts';

export interface PlanChanges {
  readonly nodes: number | undefined;
  readonly seeds: number | undefined;
  readonly policies: readonly string[] | undefined;
  readonly set: readonly string[];
}

/** A named scenario, or a file, with the changes of the command line. Throws `OPTION_INVALID`: one sentence. */
export async function loadPlan(scenario: string, { nodes, policies, seeds, set }: PlanChanges): Promise<Plan> {
  const { text, file } = await textOf(scenario);
  const changes = [
    ...(nodes === undefined ? [] : [`cluster.nodes=${nodes}`]),
    ...(seeds === undefined ? [] : [`seeds=${seeds}`]),
    ...(policies === undefined ? [] : [`policies=${JSON.stringify(policies)}`]),
    ...set,
  ];
  try {
    return parseScenario(text, { file, set: changes });
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new PeiliError('OPTION_INVALID', error.message, { scenario }, error);
  }
}

async function textOf(scenario: string): Promise<{ readonly text: string; readonly file: string }> {
  const named = findScenario(scenario);
  if (named !== undefined) return { text: named.text, file: scenario };
  if (!/[./\\]/.test(scenario)) {
    const near = namedScenarios.map(({ name }) => name).join(', ');
    throw new PeiliError(
      'OPTION_INVALID',
      `${JSON.stringify(scenario)} is no scenario: give a file, ./${scenario}, or one of ${near}`,
    );
  }
  try {
    return { text: await readFile(scenario, 'utf8'), file: basename(scenario) };
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new PeiliError('OPTION_INVALID', `${JSON.stringify(scenario)} cannot be read: ${why}`, { scenario }, error);
  }
}
