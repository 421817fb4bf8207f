import { Option } from 'commander';
import type { Command } from 'commander';
import { PeiliError } from '../../core/index.ts';
import { parseDurationUs, parseInteger } from '../go-values.ts';

/** What `peili sim ...` was asked for. */
export type SimCommand =
  | ({ readonly type: 'run' } & RunOptions)
  | { readonly type: 'list'; readonly scenario: string | undefined; readonly json: boolean }
  | ({ readonly type: 'check' } & CheckOptions)
  | ({ readonly type: 'hunt' } & HuntOptions)
  | ({ readonly type: 'replay' } & ReplayOptions)
  | ({ readonly type: 'mutations' } & MutationsOptions)
  | ({ readonly type: 'bench' } & BenchOptions);

export type CheckOptions = Omit<RunOptions, 'seeds' | 'report'>;

export interface HuntOptions {
  readonly budgetUs: number;
  readonly seed: number;
  /** This is one of so many that share the work; the first one is 0. */
  readonly shard: { readonly index: number; readonly count: number };
  readonly json: boolean;
}

export interface ReplayOptions {
  /** A line, or a file that has one. */
  readonly replay: string;
  /** How many of the last events are printed. */
  readonly last: number;
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

const examples = {
  sim: `
Examples:
  peili sim list                                         what there is to run
  peili sim run cold-start --nodes 20                    a new image on twenty nodes at once
  peili sim list second-wave > mine.yaml                 a scenario to begin your own with
  peili sim run mine.yaml --seeds 10 --report out.html
  peili sim hunt --budget 10m                            scenarios by chance, every law watched`,
  run: `
Examples:
  peili sim run second-wave
  peili sim run cold-start --nodes 50 --policy peili,noMirror --seeds 5
  peili sim run mine.yaml --set cluster.up=1Gbit/s --set 'faults[0].at=10s' --report out.html
Exit code 0: all was as expected; 1: a law of the mirror or an expectation of the scenario was broken; 2: wrong use; 130: stopped, and what was known by then printed`,
  check: `
Examples:
  peili sim check second-wave
  peili sim check mine.yaml --policy peili --seed 7`,
  hunt: `
Examples:
  peili sim hunt --budget 10m
  peili sim hunt --budget 1h --shard 2/8 --json      the second of eight machines`,
  replay: `
Examples:
  peili sim replay 'peili-sim:1:second-wave:7:peili'
  peili sim replay found.txt --last 200`,
  mutations: `
Examples:
  peili sim mutations
  peili sim mutations --only M3,M12 --workers 2`,
  bench: `
Examples:
  peili sim bench
  peili sim bench --json`,
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
      new Option(
        '--policy <names>',
        'what is compared, with commas: peili, noMirror, spegelLike (or of a release: spegelLike-0.4, -0.6, -0.7), binomialTree (default: as the scenario says)',
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
  addSearches(sim, onCommand);
}

/** Those that look for what is wrong in the mirror, or in the simulator. */
function addSearches(sim: Command, onCommand: (command: SimCommand) => Promise<void>): void {
  sim
    .command('check <scenario>')
    .description('Run a scenario three times, and say whether it was the same run each time.')
    .addOption(new Option('--nodes <count>', 'so many nodes instead'))
    .addOption(new Option('--seed <number>', 'the seed').default('1'))
    .addOption(new Option('--policy <names>', 'which policies, with commas, as for run'))
    .addOption(new Option('--set <path=value>', 'change what the scenario says').argParser(collect))
    .addOption(new Option('--json', 'print JSON, a line for each policy'))
    .addHelpText('after', examples.check)
    .action(async (scenario: string, given: GivenRun) => {
      await onCommand({ type: 'check', ...readRunOptions(scenario, given) });
    });
  sim
    .command('hunt')
    .description('Draw scenarios by chance and watch every law; what breaks one is made small and printed.')
    .addOption(new Option('--budget <duration>', 'how long').default('60s'))
    .addOption(new Option('--seed <number>', 'the first seed').default('1'))
    .addOption(new Option('--shard <i/n>', 'the i-th of n that share the work').default('1/1'))
    .addOption(new Option('--json', 'print JSON, a line for each find'))
    .addHelpText('after', examples.hunt)
    .action(async ({ budget, seed, shard, json = false }: GivenHunt) => {
      await onCommand({
        type: 'hunt',
        budgetUs: durationUs('--budget', budget),
        seed: whole('--seed', seed, 0, seedMax),
        shard: shardOf(shard),
        json,
      });
    });
  sim
    .command('replay <line>')
    .description('Do a run again, up to the event at which it failed; a line, or a file that has one.')
    .addOption(new Option('--last <count>', 'how many of the last events are printed').default('40'))
    .addOption(new Option('--json', 'print JSON lines'))
    .addHelpText('after', examples.replay)
    .action(async (replay: string, { last, json = false }: { readonly last: string; readonly json?: boolean }) => {
      await onCommand({ type: 'replay', replay, last: whole('--last', last, 0, 1_000_000), json });
    });
  sim
    .command('mutations')
    .description('Plant known bugs in the sources one by one, and see which law catches each. Needs a checkout.')
    .addOption(new Option('--only <names>', 'these alone, with commas'))
    .addOption(new Option('--budget <duration>', 'how long one is hunted at most').default('60s'))
    .addOption(new Option('--workers <count>', 'so many at once').default('1'))
    .addOption(new Option('--json', 'print one JSON object'))
    .addHelpText('after', examples.mutations)
    .action(async ({ only, budget, workers, json = false }: GivenMutations) => {
      await onCommand({
        type: 'mutations',
        only: only?.split(',').map((name) => name.trim()),
        budgetUs: durationUs('--budget', budget),
        workers: whole('--workers', workers, 1, 256),
        json,
      });
    });
  sim
    .command('bench')
    .description('Measure the simulator on this machine.')
    .addOption(new Option('--json', 'print one JSON object'))
    .addHelpText('after', examples.bench)
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      await onCommand({ type: 'bench', json });
    });
}

interface GivenHunt {
  readonly budget: string;
  readonly seed: string;
  readonly shard: string;
  readonly json?: boolean;
}

interface GivenMutations {
  readonly only?: string;
  readonly budget: string;
  readonly workers: string;
  readonly json?: boolean;
}

function durationUs(flag: string, text: string): number {
  return flagged(flag, text, parseDurationUs);
}

function shardOf(text: string): HuntOptions['shard'] {
  const [, index = '', count = ''] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  if (Number(index) >= 1 && Number(index) <= Number(count)) return { index: Number(index) - 1, count: Number(count) };
  throw new PeiliError('OPTION_INVALID', `--shard ${JSON.stringify(text)}: give which one of how many, 2/8`);
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
  return flagged(flag, text, parseInteger(min, max));
}

function flagged(flag: string, text: string, parse: (text: string) => number): number {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof PeiliError)) throw error;
    throw new PeiliError('OPTION_INVALID', `${flag} ${JSON.stringify(text)}: ${error.message}`, {}, error);
  }
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
