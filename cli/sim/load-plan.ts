import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { PeiliError } from '../../core/index.ts';
import { findScenario, parseScenario, ScenarioError } from '../../sim/index.ts';
import type { Plan } from '../../sim/index.ts';
import { sayFileTrouble } from './file-trouble.ts';
import { unknownScenario } from './unknown-scenario.ts';

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
  const { directory, file, text } = await textOf(scenario);
  const readTrace = (trace: string): string => {
    try {
      return readFileSync(resolve(directory, trace), 'utf8');
    } catch (error) {
      throw new Error(sayFileTrouble(error), { cause: error });
    }
  };
  // What has a flag of its own is a change like any other, called by its flag where it is wrong.
  const flags = [
    ...(nodes === undefined ? [] : [{ flag: `--nodes ${nodes}`, change: `cluster.nodes=${nodes}` }]),
    ...(seeds === undefined ? [] : [{ flag: `--seeds ${seeds}`, change: `seeds=${seeds}` }]),
    ...(policies === undefined
      ? []
      : [{ flag: `--policy ${policies.join(',')}`, change: `policies=${JSON.stringify(policies)}` }]),
  ];
  try {
    return {
      plan: parseScenario(text, { file, set: [...flags.map(({ change }) => change), ...set], readTrace }),
      text,
    };
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    const named = flags.find(({ change }) => error.message.startsWith(`--set ${change}: `));
    const message =
      named === undefined ? error.message : `${named.flag}${error.message.slice(`--set ${named.change}`.length)}`;
    throw new PeiliError('OPTION_INVALID', message, { scenario }, error);
  }
}

interface ScenarioFile {
  readonly text: string;
  readonly file: string;
  /** Where the traces that it names are looked for. */
  readonly directory: string;
}

async function textOf(scenario: string): Promise<ScenarioFile> {
  const named = findScenario(scenario);
  if (named !== undefined) return { text: named.text, file: scenario, directory: '.' };
  if (!/[./\\]/.test(scenario)) throw unknownScenario(scenario, `, and a file of yours is ./${scenario}`);
  try {
    const [text, file, directory] = [await readFile(scenario, 'utf8'), basename(scenario), dirname(scenario)];
    return { text: isTrace(text) ? scenarioOf(file) : text, file, directory };
  } catch (error) {
    const why = sayFileTrouble(error);
    throw new PeiliError('OPTION_INVALID', `${JSON.stringify(scenario)} cannot be read: ${why}`, { scenario }, error);
  }
}

function isTrace(text: string): boolean {
  return /^\s*\{\s*"peili-trace"/.test(text);
}

/** A trace by itself: its nodes pulled that. */
function scenarioOf(trace: string): string {
  const name = JSON.stringify(trace);
  return `name: ${name}\nshows: the pulls of a trace\nworkload:\n  - trace: ${name}\n`;
}
