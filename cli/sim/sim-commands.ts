import { Option } from 'commander';
import type { Command } from 'commander';
import { PeiliError } from '../../core/index.ts';
import { parseInteger } from '../go-values.ts';

/** What `peili sim ...` was asked for. */
export type SimCommand =
  | ({ readonly type: 'run' } & RunOptions)
  | { readonly type: 'list'; readonly scenario: string | undefined; readonly json: boolean };

export interface RunOptions {
  /** A name, or a file. */
  readonly scenario: string;
  readonly nodes: number | undefined;
  readonly seed: number;
  /** Undefined: as many as the scenario says. */
  readonly seeds: number | undefined;
  /** Undefined: those of the scenario. */
  readonly policies: readonly string[] | undefined;
  readonly set: readonly string[];
  /** Undefined: none. */
  readonly report: string | undefined;
  readonly json: boolean;
}

const examples = {
  sim: `
Examples:
  peili sim list                                         what there is to run
  peili sim run cold-start --nodes 20                    a new image on twenty nodes at once
  peili sim list second-wave > mine.yaml                 a scenario to begin your own with
  peili sim run mine.yaml --seeds 10 --report out.html`,
  run: `
Examples:
  peili sim run second-wave
  peili sim run cold-start --nodes 50 --policy peili,noMirror --seeds 5
  peili sim run mine.yaml --set cluster.up=1Gbit/s --set 'faults[0].at=10s' --report out.html
Exit code 0: all was as expected; 1: a law of the mirror or an expectation of the scenario was broken; 2: wrong use; 130: stopped, and what was known by then printed`,
  list: `
Examples:
  peili sim list
  peili sim list cold-start > mine.yaml`,
};

const seedsMax = 10_000;
const nodesMax = 100_000;
const seedMax = 4_294_967_295;

/** `peili sim` and what is below it. */
export function addSimCommands(program: Command, onCommand: (command: SimCommand) => Promise<void>): void {
  const sim = program
    .command('sim')
    .description('Simulate a rollout in a whole cluster: how long it takes, what leaves the registry, what fails.')
    .helpCommand(false)
    .addHelpText('after', examples.sim);
  sim
    .command('run <scenario>')
    .description('Run a scenario, a named one or a file of YAML, and print what came of it.')
    .addOption(new Option('--nodes <count>', 'so many nodes instead (the same as --set cluster.nodes=<count>)'))
    .addOption(new Option('--seed <number>', 'the first seed').default('1'))
    .addOption(new Option('--seeds <count>', 'so many runs of each policy (default: as the scenario says)'))
    .addOption(
      new Option('--policy <names>', 'what is compared, with commas: peili, noMirror (default: as the scenario says)'),
    )
    .addOption(
      new Option('--set <path=value>', 'change what the scenario says; may be given several times').argParser(collect),
    )
    .addOption(new Option('--report <file>', 'write a page with tables and diagrams, one file of HTML'))
    .addOption(new Option('--json', 'print one JSON object'))
    .addHelpText('after', examples.run)
    .action(async (scenario: string, given: GivenRun) => {
      await onCommand({ type: 'run', ...readRunOptions(scenario, given) });
    });
  sim
    .command('list [scenario]')
    .description('List the scenarios that come with the program; with a name, print it.')
    .addOption(new Option('--json', 'print one JSON object'))
    .addHelpText('after', examples.list)
    .action(async (scenario: string | undefined, given: { readonly json?: boolean }) => {
      await onCommand({ type: 'list', scenario, json: given.json === true });
    });
}

interface GivenRun {
  readonly nodes?: string;
  readonly seed: string;
  readonly seeds?: string;
  readonly policy?: string;
  readonly set?: readonly string[];
  readonly report?: string;
  readonly json?: boolean;
}

function readRunOptions(scenario: string, given: GivenRun): RunOptions {
  const { nodes, policy, report, seed, seeds, set = [], json = false } = given;
  return {
    scenario,
    nodes: nodes === undefined ? undefined : whole('--nodes', nodes, 1, nodesMax),
    seed: whole('--seed', seed, 0, seedMax),
    seeds: seeds === undefined ? undefined : whole('--seeds', seeds, 1, seedsMax),
    policies: policy?.split(',').map((name) => name.trim()),
    set,
    report,
    json,
  };
}

function whole(flag: string, text: string, min: number, max: number): number {
  try {
    return parseInteger(min, max)(text);
  } catch (error) {
    if (!(error instanceof PeiliError)) throw error;
    throw new PeiliError('OPTION_INVALID', `${flag} ${JSON.stringify(text)}: ${error.message}`, {}, error);
  }
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
