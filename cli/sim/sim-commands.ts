import { Option } from 'commander';
import type { Command } from 'commander';
import { addFlags } from '../flag-table.ts';
import type { Environment } from '../flag-table.ts';
import { examples } from './examples.ts';
import { readRecordOptions, recordFlags } from './record-options.ts';
import type { RecordOptions } from './record-options.ts';
import { readRunOptions } from './run-options.ts';
import type { GivenRun } from './run-options.ts';
import { addSearches } from './search-commands.ts';
import { collect } from './sim-flags.ts';

/** What `peili sim ...` was asked for. */
export type SimCommand =
  | ({ readonly type: 'run' } & RunOptions)
  | { readonly type: 'list'; readonly scenario: string | undefined; readonly json: boolean }
  | ({ readonly type: 'check' } & CheckOptions)
  | ({ readonly type: 'hunt' } & HuntOptions)
  | ({ readonly type: 'replay' } & ReplayOptions)
  | ({ readonly type: 'mutations' } & MutationsOptions)
  | ({ readonly type: 'record' } & RecordOptions)
  | ({ readonly type: 'bench' } & BenchOptions);

export type CheckOptions = Omit<RunOptions, 'seeds' | 'report'>;

export interface HuntOptions {
  readonly budgetUs: number;
  readonly seed: number;
  /** This is one of so many that share the work; the first one is 0. */
  readonly shard: { readonly index: number; readonly count: number };
  readonly workers: number;
  /** A folder for what is found, as cases. Undefined: nowhere. */
  readonly save: string | undefined;
  readonly json: boolean;
}

export interface ReplayOptions {
  /** A line, or a file that has one. */
  readonly replay: string;
  /** How many of the last events are printed. */
  readonly last: number;
  /** The scenario is printed as a file, and nothing is run. */
  readonly yaml: boolean;
  readonly json: boolean;
}

export interface MutationsOptions {
  /** Undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly budgetUs: number;
  readonly workers: number;
  readonly json: boolean;
}

export interface BenchOptions {
  /** Undefined: all but those that take minutes. */
  readonly only: readonly string[] | undefined;
  readonly json: boolean;
}

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

/** `peili sim` and what is below it. */
export function addSimCommands(
  program: Command,
  env: Environment,
  onCommand: (command: SimCommand) => Promise<void>,
): void {
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
      new Option(
        '--policy <names>',
        'what is compared, with commas: peili, noMirror, spegelLike (or of a release: spegelLike-0.4, -0.6, -0.7), halfSpegel, binomialTree (default: as the scenario says)',
      ),
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
  addFlags(sim.command('record'), recordFlags)
    .description(
      "Write what a node's containerd pulls, and when, as a trace: a workload for run. On the node, as root.",
    )
    .addHelpText('after', examples.record)
    .action(async (given: Readonly<Record<string, unknown>>) => {
      await onCommand({ type: 'record', ...readRecordOptions(given, env) });
    });
  addSearches(sim, onCommand);
}
