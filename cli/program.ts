import { Command, CommanderError, Option } from 'commander';
import { PeiliError } from '../core/index.ts';
import { addFlags, usageError } from './flag-table.ts';
import type { Environment } from './flag-table.ts';
import { whole } from './flag-values.ts';
import {
  cleanupFlags,
  cleanupWaitFlags,
  configurationFlags,
  readCleanupOptions,
  readCleanupWaitOptions,
  readConfigurationOptions,
} from './hosts-flags.ts';
import type { CleanupOptions, CleanupWaitOptions, ConfigurationOptions } from './hosts-flags.ts';
import { addRegistryFlags, readRegistryOptions } from './registry-options.ts';
import type { RegistryOptions } from './registry-options.ts';
import { addSimCommands } from './sim/sim-commands.ts';
import type { SimCommand } from './sim/sim-commands.ts';
import { addTestbedCommands } from './testbed/testbed-commands.ts';
import type { TestbedCommand } from './testbed/testbed-commands.ts';
import { readVerifyOptions, verifyFlags } from './verify-flags.ts';
import type { VerifyOptions } from './verify-flags.ts';

/** What the commands do; each resolves with the exit code. */
export interface Actions {
  registry(options: RegistryOptions): Promise<number>;
  configuration(options: ConfigurationOptions): Promise<number>;
  cleanup(options: CleanupOptions): Promise<number>;
  cleanupWait(options: CleanupWaitOptions): Promise<number>;
  verify(options: VerifyOptions): Promise<number>;
  up(options: { readonly nodes: number; readonly image: string | undefined }): Promise<number>;
  demo(options: { readonly json: boolean }): Promise<number>;
  sim(command: SimCommand): Promise<number>;
  testbed(command: TestbedCommand): Promise<number>;
}

export interface ProgramIo {
  readonly env: Environment;
  readonly version: string;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
}

const wrongUse = 2;
const nodesMax = 64;

const examples = {
  program: `
Examples:
  peili demo                                        three mirrors, a dead upstream, a killed holder
  peili up --nodes 5                                mirrors on loopback to try with curl, crane or containerd
  peili sim run cold-start --nodes 20               a rollout in a simulated cluster
  peili registry --store oci-layout:/srv/images     one node without containerd`,
  registry: `
Examples:
  Beside the containerd of a node, as root, in a cluster with a headless service:
    peili registry --bootstrap-kind dns --dns-bootstrap-domain peili-bootstrap.peili.svc.cluster.local
  Alone, serving a directory:
    peili registry --store oci-layout:/srv/images
  A second node that knows the first:
    peili registry --store oci-layout:/srv/more --registry-addr :5010 --router-addr :5011 --metrics-addr :9091 \\
      --bootstrap-kind static --static-bootstrap-peers /ip4/10.0.0.7/tcp/5001
  With k3s, without development tags:
    peili registry --containerd-sock /run/k3s/containerd/containerd.sock \\
      --containerd-registry-config-path /var/lib/rancher/k3s/agent/etc/containerd/certs.d --registry-filters '^docker\\.io/.+:dev$'`,
  configuration: `
Examples:
  Every registry, by the mirror of this node:
    peili configuration --mirror-targets http://10.0.0.7:30020
  Two registries, a second mirror after the first, and what is there kept behind them:
    peili configuration --mirrored-registries https://docker.io https://ghcr.io \\
      --mirror-targets http://10.0.0.7:30020 http://10.0.0.7:30021 --prepend-existing`,
  cleanup: `
Examples:
  peili cleanup                   as it was before, byte for byte
  peili cleanup --addr :8080      the same, and says so to probes until it is stopped`,
  cleanupWait: `
Example:
  peili cleanup-wait --probe-endpoint peili-cleanup.peili.svc.cluster.local:8080`,
  verify: `
Examples:
  On the node, as root:
    peili verify
  In a mirror's pod, with an image that another node has:
    kubectl exec -n peili <pod> -- peili verify --image docker.io/library/busybox:1.37
  For a program: exit code 1 when something is wrong, 2 on wrong use
    peili verify --json | jq '.checks[] | select(.status == "wrong")'`,
  up: `
Examples:
  peili up --nodes 5
  peili up --image /srv/images`,
  demo: `
Examples:
  peili demo
  peili demo --json | tail -n 1`,
};

/** Runs the program: the exit code. Wrong use is one sentence on stderr and 2; what nobody foresaw is 1, with its trace. */
export async function runProgram(argv: readonly string[], io: ProgramIo, actions: Actions): Promise<number> {
  const result = { code: 0 };
  const program = createProgram(io, actions, (code) => {
    result.code = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return result.code;
  } catch (error) {
    return tellFailure(error, io);
  }
}

function tellFailure(error: unknown, io: ProgramIo): number {
  if (error instanceof CommanderError) {
    // Help and version are no failures, and have been written; a missing command has shown the help.
    if (error.exitCode === 0) return 0;
    if (error.code !== 'commander.help') io.writeErr(`peili: ${usageError(error).message}\n`);
    return wrongUse;
  }
  if (error instanceof PeiliError) {
    io.writeErr(`peili: ${error.message}\n`);
    return wrongUse;
  }
  io.writeErr(`peili: unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

function createProgram(io: ProgramIo, actions: Actions, onExit: (code: number) => void): Command {
  const program = new Command('peili')
    .description('A stateless, cluster-local OCI registry mirror.')
    .exitOverride()
    // Errors are said once, by us.
    .configureOutput({ writeOut: io.writeOut, writeErr: io.writeErr, outputError: () => undefined })
    .version(io.version, '--version', 'print the version')
    .helpCommand(false)
    .addHelpText('after', examples.program);
  addRegistryFlags(program.command('registry'))
    .description('Run one node: serves what its store has, and relays what its peers have.')
    .addHelpText('after', examples.registry)
    .action(async (given: Readonly<Record<string, unknown>>) => {
      onExit(await actions.registry(readRegistryOptions(given, io.env)));
    });
  addHostsCommands(program, io, actions, onExit);
  addFlags(program.command('verify'), verifyFlags)
    .addOption(new Option('--json', 'print one JSON object'))
    .description('Look whether containerd, this mirror and the cluster work together, and what to do where not.')
    .addHelpText('after', examples.verify)
    .action(async (given: Readonly<Record<string, unknown>>) => {
      onExit(await actions.verify(readVerifyOptions(given, io.env)));
    });
  program
    .command('up')
    .description('Run a cluster on loopback, with an upstream registry and an image; Ctrl-C ends it.')
    .addOption(new Option('--nodes <count>', 'how many mirrors').default('3'))
    .addOption(new Option('--image <directory>', 'an OCI image layout to serve (default: an image made on the spot)'))
    .addHelpText('after', examples.up)
    .action(async (given: { readonly nodes: string; readonly image?: string }) => {
      onExit(await actions.up({ nodes: whole('--nodes', given.nodes, 1, nodesMax), image: given.image }));
    });
  program
    .command('demo')
    .description('Show mirrors feeding each other while the upstream is gone and a holder dies; ends by itself.')
    .addOption(new Option('--json', 'make the last line of stdout one JSON object'))
    .addHelpText('after', examples.demo)
    .action(async (given: { readonly json?: boolean }) => {
      onExit(await actions.demo({ json: given.json === true }));
    });
  addSimCommands(program, io.env, async (command) => {
    onExit(await actions.sim(command));
  });
  addTestbedCommands(program, async (command) => {
    onExit(await actions.testbed(command));
  });
  program
    .command('version')
    .description('Print the version.')
    .action(() => {
      io.writeOut(`peili ${io.version} (node ${process.versions.node}, ${process.platform} ${process.arch})\n`);
    });
  return program;
}

function addHostsCommands(
  program: Command,
  { env }: ProgramIo,
  actions: Actions,
  onExit: (code: number) => void,
): void {
  type Given = Readonly<Record<string, unknown>>;
  addFlags(program.command('configuration'), configurationFlags)
    .description('Tell containerd about mirrors: writes hosts.toml, and puts aside what was there.')
    .addHelpText('after', examples.configuration)
    .action(async (given: Given) => {
      onExit(await actions.configuration(readConfigurationOptions(given, env)));
    });
  addFlags(program.command('cleanup'), cleanupFlags)
    .description('Undo configuration: what others wrote is in place again, and nothing else.')
    .addHelpText('after', examples.cleanup)
    .action(async (given: Given) => {
      onExit(await actions.cleanup(readCleanupOptions(given, env)));
    });
  addFlags(program.command('cleanup-wait'), cleanupWaitFlags)
    .description('Wait until cleanup is done on every node.')
    .addHelpText('after', examples.cleanupWait)
    .action(async (given: Given) => {
      onExit(await actions.cleanupWait(readCleanupWaitOptions(given, env)));
    });
}
