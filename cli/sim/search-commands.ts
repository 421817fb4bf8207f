import { Option } from 'commander';
import type { Command } from 'commander';
import { PeiliError } from '../../core/index.ts';
import { examples } from './examples.ts';
import { readRunOptions } from './run-options.ts';
import type { GivenRun } from './run-options.ts';
import type { HuntOptions, SimCommand } from './sim-commands.ts';
import { durationUs, whole } from '../flag-values.ts';
import { collect, seedMax, workersMax } from './sim-flags.ts';

/** Those that look for what is wrong in the mirror, or in the simulator. */
export function addSearches(sim: Command, onCommand: (command: SimCommand) => Promise<void>): void {
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
    .addOption(new Option('--workers <count>', 'so many threads').default('1'))
    .addOption(new Option('--save <folder>', 'write what is found there, each as a case: a file for sim replay'))
    .addOption(new Option('--json', 'print JSON, a line for each find, and at the end one of the hunt'))
    .addHelpText('after', examples.hunt)
    .action(async ({ budget, save, seed, shard, workers, json = false }: GivenHunt) => {
      await onCommand({
        type: 'hunt',
        budgetUs: budgetUs(budget),
        seed: whole('--seed', seed, 0, seedMax),
        shard: shardOf(shard),
        workers: whole('--workers', workers, 1, workersMax),
        save,
        json,
      });
    });
  sim
    .command('replay <line>')
    .description('Do a run again, up to the event at which it failed; a line, a file that has one, or a case.')
    .addOption(new Option('--last <count>', 'how many of the last events are printed').default('40'))
    .addOption(new Option('--json', 'print JSON lines'))
    .addOption(new Option('--yaml', 'print the scenario of the run as a file of YAML, and run nothing'))
    .addHelpText('after', examples.replay)
    .action(async (replay: string, { last, json = false, yaml = false }: GivenReplay) => {
      await onCommand({ type: 'replay', replay, last: whole('--last', last, 0, 1_000_000), json, yaml });
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
        only: namesOf(only),
        budgetUs: budgetUs(budget),
        workers: whole('--workers', workers, 1, workersMax),
        json,
      });
    });
  sim
    .command('bench')
    .description('Measure the simulator on this machine.')
    .addOption(new Option('--only <names>', 'these figures alone, with commas'))
    .addOption(new Option('--json', 'print one JSON object'))
    .addHelpText('after', examples.bench)
    .action(async ({ only, json = false }: { readonly only?: string; readonly json?: boolean }) => {
      await onCommand({ type: 'bench', only: namesOf(only), json });
    });
}

function namesOf(list: string | undefined): readonly string[] | undefined {
  return list?.split(',').map((name) => name.trim());
}

interface GivenHunt {
  readonly budget: string;
  readonly seed: string;
  readonly shard: string;
  readonly workers: string;
  readonly save?: string;
  readonly json?: boolean;
}

interface GivenReplay {
  readonly last: string;
  readonly json?: boolean;
  readonly yaml?: boolean;
}

interface GivenMutations {
  readonly only?: string;
  readonly budget: string;
  readonly workers: string;
  readonly json?: boolean;
}

/** Nothing is tried in no time, and nothing found would look as if all was well. */
function budgetUs(text: string): number {
  const us = durationUs('--budget', text);
  if (us > 0) return us;
  throw new PeiliError('OPTION_INVALID', `--budget ${JSON.stringify(text)}: give a time to hunt for, 60s`);
}

function shardOf(text: string): HuntOptions['shard'] {
  const [, index = '', count = ''] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  if (Number(index) >= 1 && Number(index) <= Number(count)) return { index: Number(index) - 1, count: Number(count) };
  throw new PeiliError('OPTION_INVALID', `--shard ${JSON.stringify(text)}: give which one of how many, 2/8`);
}
