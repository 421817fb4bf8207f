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

export interface LoadedPlan {
  readonly plan: Plan;
  /** As it was written, before the changes. */
  readonly text: string;
}

/** A named scenario, or a file, with the changes of the command line. Throws `OPTION_INVALID`: one sentence. */
export async function loadPlan(scenario: string, { nodes, policies, seeds, set }: PlanChanges): Promise<LoadedPlan> {
  const { text, file } = await textOf(scenario);
  // What has a flag of its own is a change like any other, called by its flag where it is wrong.
  const flags = [
    ...(nodes === undefined ? [] : [{ flag: `--nodes ${nodes}`, change: `cluster.nodes=${nodes}` }]),
    ...(seeds === undefined ? [] : [{ flag: `--seeds ${seeds}`, change: `seeds=${seeds}` }]),
    ...(policies === undefined
      ? []
      : [{ flag: `--policy ${policies.join(',')}`, change: `policies=${JSON.stringify(policies)}` }]),
  ];
  try {
    return { plan: parseScenario(text, { file, set: [...flags.map(({ change }) => change), ...set] }), text };
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    const named = flags.find(({ change }) => error.message.startsWith(`--set ${change}: `));
    const message =
      named === undefined ? error.message : `${named.flag}${error.message.slice(`--set ${named.change}`.length)}`;
    throw new PeiliError('OPTION_INVALID', message, { scenario }, error);
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
