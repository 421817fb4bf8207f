import { Option } from 'commander';
import type { Command } from 'commander';
import { PeiliError } from '../../core/index.ts';
import type { DriverName } from '../../testbed/index.ts';
import { whole } from '../flag-values.ts';

/** What `peili testbed ...` was asked for. */
export type TestbedCommand =
  | {
      readonly type: 'up';
      readonly driver: DriverName;
      readonly nodes: number;
      readonly zones: readonly string[];
    }
  | { readonly type: 'list' }
  | { readonly type: 'down'; readonly name: string | undefined };

/** Said here again: a node does not carry the parts of testbeds, which its command line is read without. */
const driverNames = ['process', 'netns', 'docker', 'kind'] as const satisfies readonly DriverName[];
/** Addresses of one network. */
const nodesMax = 16;

const examples = `
Examples:
  peili testbed up                                mirrors of one process, with directories as stores
  peili testbed up --driver docker --nodes 4      real containerd, a container for each node
  peili testbed up --driver kind --zones a,b      a Kubernetes cluster with the chart installed
  peili testbed list
  peili testbed down                              what processes that are gone have left behind`;

/** `peili testbed` and what is below it. */
export function addTestbedCommands(program: Command, onCommand: (command: TestbedCommand) => Promise<void>): void {
  const testbed = program
    .command('testbed')
    .description('Clusters to try things on: nodes with mirrors, and an upstream registry that can be cut off.')
    .helpCommand(false)
    .addHelpText('after', examples);
  testbed
    .command('up')
    .description('Start one and say how to use it; Ctrl-C takes it down.')
    .addOption(new Option('--driver <name>', `what it is made of: ${driverNames.join(', ')}`).default('process'))
    .addOption(new Option('--nodes <count>', 'how many nodes; of kind the first is the control plane').default('3'))
    .addOption(new Option('--zones <names>', 'topology zones of the nodes in turn, with commas'))
    .action(async (given: { readonly driver: string; readonly nodes: string; readonly zones?: string }) => {
      await onCommand({
        type: 'up',
        driver: driverOf(given.driver),
        nodes: whole('--nodes', given.nodes, 1, nodesMax),
        zones: given.zones?.split(',') ?? [],
      });
    });
  testbed
    .command('list')
    .description('Those of containers that are there, and whether the process that made them still runs.')
    .action(() => onCommand({ type: 'list' }));
  testbed
    .command('down [name]')
    .description('Take this one down, or all whose process is gone.')
    .action((name: string | undefined) => onCommand({ type: 'down', name }));
}

function driverOf(text: string): DriverName {
  const driver = driverNames.find((name) => name === text);
  if (driver !== undefined) return driver;
  throw new PeiliError('OPTION_INVALID', `--driver ${JSON.stringify(text)}: give ${driverNames.join(', ')}`);
}
