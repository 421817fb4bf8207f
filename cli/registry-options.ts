import { Command, CommanderError } from 'commander';
import { PeiliError, defaultLimits, limitsWith } from '../core/index.ts';
import type { BlobVerification, Limits, RegistryFilterOptions } from '../core/index.ts';
import type { NodeOptions } from '../transports/index.ts';
import type { ListenAddress } from './addresses.ts';
import { addFlags, readFlags, usageError } from './flag-table.ts';
import type { Environment } from './flag-table.ts';
import { flagText, registryFlags } from './registry-flags.ts';
import type { FlagName } from './registry-flags.ts';
import { registrySchema } from './registry-schema.ts';
import type { RegistryValues } from './registry-schema.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

/** containerd's own example, and Spegel's default. A store that is no containerd says nothing about who reads hosts.toml on this machine. */
const hostsPathDefault = '/etc/containerd/certs.d';

/** What `peili registry` was told, checked and complete. */
export interface RegistryOptions {
  readonly store: NodeOptions['store'];
  readonly registryAddress: ListenAddress;
  /** `ip:port` or `:port`. */
  readonly routerAddress: string;
  readonly metricsAddress: ListenAddress;
  readonly bootstrap: NodeOptions['bootstrap'];
  /** Where the bootstrap document is served; undefined: nowhere. */
  readonly httpBootstrapAddress: ListenAddress | undefined;
  /** Undefined: a new identity at each start. */
  readonly dataDir: string | undefined;
  readonly zone: string;
  /** Where hosts.toml is kept as configured; undefined: nowhere. */
  readonly hostsPath: string | undefined;
  /** Where the files `username` and `password` are looked for. */
  readonly basicAuthPath: string;
  readonly filter: RegistryFilterOptions;
  readonly blobVerification: BlobVerification;
  /** Files that say how much this mirror does. */
  readonly modePaths: readonly string[];
  /** Undefined: no limit. */
  readonly tagMaxAgeUs: number | undefined;
  readonly limits: Limits;
  /** Undefined: nothing is proven. */
  readonly canary: NodeOptions['canary'];
  readonly logLevel: LogLevel;
  readonly requestLog: boolean;
  /** Whether the metrics address serves the debug view. */
  readonly debugWebEnabled: boolean;
  /** Where this process may be looked into, on loopback; undefined: nowhere. */
  readonly debugPort: number | undefined;
  /** Whether a main thread that stands still ends the process. */
  readonly watchdog: boolean;
  /** For the operator, at start: what was said and has no effect. */
  readonly warnings: readonly string[];
}

/** Gives a command the options of `peili registry`. */
export function addRegistryFlags(command: Command): Command {
  return addFlags(command, registryFlags);
}

/** From the arguments after `registry`, and the environment for what they leave out. Throws `OPTION_INVALID`: one sentence with flag, value and mend. */
export function parseRegistryOptions(argv: readonly string[], env: Environment): RegistryOptions {
  const command = addRegistryFlags(new Command('registry'))
    .exitOverride()
    .helpOption(false)
    .configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? usageError(error) : error;
  }
  return readRegistryOptions(command.opts(), env);
}

export function readRegistryOptions(given: Readonly<Record<string, unknown>>, env: Environment): RegistryOptions {
  return optionsOf(readFlags(registryFlags, registrySchema, given, env));
}

function optionsOf(values: RegistryValues): RegistryOptions {
  const { mirroredRegistries, registryFilters, resolveLatestTag, blobsOnlyRegistries } = values;
  return Object.freeze({
    store: storeOf(values),
    registryAddress: values.registryAddr,
    routerAddress: values.routerAddr,
    metricsAddress: values.metricsAddr,
    bootstrap: bootstrapOf(values),
    httpBootstrapAddress: values.httpBootstrapAddr,
    dataDir: values.dataDir,
    zone: values.zone,
    hostsPath:
      values.containerdRegistryConfigPath ?? (values.store.kind === 'containerd' ? hostsPathDefault : undefined),
    basicAuthPath: values.basicAuthPath,
    filter: Object.freeze({ mirroredRegistries, registryFilters, resolveLatestTag, blobsOnlyRegistries }),
    blobVerification: values.blobVerification,
    modePaths: values.modePath,
    tagMaxAgeUs: values.tagMaxAge === 0 ? undefined : values.tagMaxAge,
    limits: limitsOf(values),
    canary: canaryOf(values),
    logLevel: values.logLevel,
    requestLog: values.requestLog,
    debugWebEnabled: values.debugWebEnabled,
    debugPort: values.debugPort === 0 ? undefined : values.debugPort,
    watchdog: values.watchdog,
    warnings: Object.freeze([...idleStoreFlags(values), ...idleBootstrapFlags(values)]),
  });
}

function storeOf(values: RegistryValues): NodeOptions['store'] {
  const { store, containerdSock, containerdNamespace, containerdContentPath } = values;
  if (store.kind === 'oci-layout') return store;
  return {
    kind: 'containerd',
    socket: containerdSock,
    namespace: containerdNamespace,
    contentPath: containerdContentPath,
  };
}

/** It is containerd that is to use this node, so without one there is nothing to prove. */
function canaryOf({ store, containerdSock, canaryInterval }: RegistryValues): NodeOptions['canary'] {
  const intervalUs = canaryInterval ?? defaultLimits.canaryIntervalUs;
  return store.kind === 'containerd' && intervalUs > 0 ? { socket: containerdSock, intervalUs } : undefined;
}

function idleStoreFlags({ store, containerdContentPath, canaryInterval }: RegistryValues): string[] {
  if (store.kind === 'containerd') return [];
  const uses: readonly (readonly [FlagName, boolean])[] = [
    ['containerdContentPath', containerdContentPath !== undefined],
    ['canaryInterval', canaryInterval !== undefined && canaryInterval > 0],
  ];
  return uses.flatMap(([name, isGiven]) =>
    isGiven ? [`${flagText(name)} has no effect with --store oci-layout:; --store containerd would use it`] : [],
  );
}

function bootstrapOf(values: RegistryValues): NodeOptions['bootstrap'] {
  const { bootstrapKind, dnsBootstrapDomain, httpBootstrapPeer, staticBootstrapPeers } = values;
  const missing = (name: FlagName, what: string): PeiliError =>
    new PeiliError('OPTION_INVALID', `--bootstrap-kind ${bootstrapKind} needs ${flagText(name)}: give ${what}`);
  switch (bootstrapKind) {
    case 'none':
      return { kind: 'none' };
    case 'dns':
      if (dnsBootstrapDomain === undefined)
        throw missing('dnsBootstrapDomain', 'a name whose addresses are the members');
      return { kind: 'dns', host: dnsBootstrapDomain };
    case 'http':
      if (httpBootstrapPeer === undefined) throw missing('httpBootstrapPeer', 'the URL of a bootstrap document');
      return { kind: 'http', url: httpBootstrapPeer };
    case 'static':
      if (staticBootstrapPeers.length === 0) throw missing('staticBootstrapPeers', 'at least one multiaddr');
      return { kind: 'static', peers: staticBootstrapPeers };
  }
}

function limitsOf({ mirrorResolveTimeout, mirrorResolveRetries }: RegistryValues): Limits {
  const lookupTimeoutUs = mirrorResolveTimeout ?? defaultLimits.lookupTimeoutUs;
  return limitsWith({
    lookupTimeoutUs,
    // A part of the whole: it cannot be longer.
    lookupMissTimeoutUs: Math.min(lookupTimeoutUs, defaultLimits.lookupMissTimeoutUs),
    attemptsMax: mirrorResolveRetries ?? defaultLimits.attemptsMax,
  });
}

function idleBootstrapFlags(values: RegistryValues): string[] {
  const uses: Readonly<Record<string, readonly [FlagName, boolean]>> = {
    dns: ['dnsBootstrapDomain', values.dnsBootstrapDomain !== undefined],
    http: ['httpBootstrapPeer', values.httpBootstrapPeer !== undefined],
    static: ['staticBootstrapPeers', values.staticBootstrapPeers.length > 0],
  };
  return Object.entries(uses).flatMap(([kind, [name, isGiven]]) =>
    isGiven && kind !== values.bootstrapKind
      ? [
          `${flagText(name)} has no effect with --bootstrap-kind ${values.bootstrapKind}; --bootstrap-kind ${kind} would use it`,
        ]
      : [],
  );
}
