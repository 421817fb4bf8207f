import * as v from 'valibot';
import { PeiliError } from '../core/index.ts';
import { parseMirrorTarget } from '../transports/index.ts';
import { parseListenAddress } from './addresses.ts';
import type { ListenAddress } from './addresses.ts';
import { basicAuthPath } from './credentials.ts';
import { list, readFlags, textTo } from './flag-table.ts';
import type { Environment, FlagRow, FlagTable } from './flag-table.ts';
import { parseBoolean, parseInteger } from './go-values.ts';
import { parseConfigPath, parseLogLevel, parsePositiveDurationUs, parseRegistryName } from './registry-schema.ts';
import type { LogLevel } from './registry-options.ts';

const logLevelRow = {
  flags: '--log-level <level>',
  env: 'LOG_LEVEL',
  help: 'DEBUG, INFO, WARN or ERROR',
  fallback: 'INFO',
} as const satisfies FlagRow;

const configPathRow = {
  flags: '--containerd-registry-config-path <directory>',
  env: 'CONTAINERD_REGISTRY_CONFIG_PATH',
  help: 'where containerd looks for hosts.toml: its config_path, one directory',
  fallback: '/etc/containerd/certs.d',
} as const satisfies FlagRow;

/** The options of `peili configuration`. */
export const configurationFlags = {
  containerdRegistryConfigPath: configPathRow,
  mirroredRegistries: {
    flags: '--mirrored-registries <registry...>',
    env: 'MIRRORED_REGISTRIES',
    help: 'the registries that are mirrored; without it all are, by _default',
  },
  mirrorTargets: {
    flags: '--mirror-targets <url...>',
    env: 'MIRROR_TARGETS',
    help: 'the mirrors, in the order in which containerd asks them, http://host:port; needed',
    missing: 'give the URL of a mirror, such as http://10.0.0.7:5000',
  },
  resolveTags: {
    flags: '--resolve-tags [boolean]',
    env: 'RESOLVE_TAGS',
    help: 'whether mirrors are asked what a tag means; false: for digests only',
    fallback: 'true',
  },
  prependExisting: {
    flags: '--prepend-existing [boolean]',
    env: 'PREPEND_EXISTING',
    help: 'whether what is configured already stays in force, behind the mirrors',
    fallback: 'false',
  },
  basicAuthPath: {
    flags: '--basic-auth-path <directory>',
    env: 'PEILI_BASIC_AUTH_PATH',
    help: 'a directory with the files username and password, which mirrors ask for; not asked where there are none',
    fallback: basicAuthPath,
  },
  logLevel: logLevelRow,
} as const satisfies FlagTable;

/** The options of `peili cleanup`. */
export const cleanupFlags = {
  containerdRegistryConfigPath: configPathRow,
  addr: {
    flags: '--addr <address>',
    env: 'ADDR',
    help: 'where /readyz says that this node is clean, until the program is stopped; without it the program ends by itself',
  },
  logLevel: logLevelRow,
} as const satisfies FlagTable;

/** The options of `peili cleanup-wait`. */
export const cleanupWaitFlags = {
  probeEndpoint: {
    flags: '--probe-endpoint <address>',
    env: 'PROBE_ENDPOINT',
    help: 'host:port of the cleanups, a name for all of them; needed',
    missing: 'give host:port, a name whose addresses are the cleanups',
  },
  threshold: {
    flags: '--threshold <count>',
    env: 'THRESHOLD',
    help: 'how many times in a row all of them must say so',
    fallback: '3',
  },
  period: {
    flags: '--period <duration>',
    env: 'PERIOD',
    help: 'how often they are asked',
    fallback: '2s',
  },
  logLevel: logLevelRow,
} as const satisfies FlagTable;

export interface ConfigurationOptions {
  readonly configPath: string;
  readonly mirroredRegistries: readonly string[];
  readonly mirrorTargets: readonly string[];
  readonly resolveTags: boolean;
  readonly prependExisting: boolean;
  readonly basicAuthPath: string;
  readonly logLevel: LogLevel;
}

export interface CleanupOptions {
  readonly configPath: string;
  /** Undefined: no probe is served. */
  readonly address: ListenAddress | undefined;
  readonly logLevel: LogLevel;
}

export interface CleanupWaitOptions {
  readonly probeEndpoint: { readonly host: string; readonly port: number };
  readonly threshold: number;
  readonly periodUs: number;
  readonly logLevel: LogLevel;
}

type Given = Readonly<Record<string, unknown>>;

const configurationSchema = v.object({
  containerdRegistryConfigPath: textTo(parseConfigPath),
  mirroredRegistries: list(parseRegistryName),
  mirrorTargets: v.pipe(v.array(textTo(parseMirrorTarget)), v.minLength(1, 'give the URL of a mirror')),
  resolveTags: textTo(parseBoolean),
  prependExisting: textTo(parseBoolean),
  basicAuthPath: v.string(),
  logLevel: textTo(parseLogLevel),
});

const cleanupSchema = v.object({
  containerdRegistryConfigPath: textTo(parseConfigPath),
  addr: v.optional(textTo(parseListenAddress)),
  logLevel: textTo(parseLogLevel),
});

const cleanupWaitSchema = v.object({
  probeEndpoint: textTo(parseEndpoint),
  threshold: textTo(parseInteger(1, 1000)),
  period: textTo(parsePositiveDurationUs),
  logLevel: textTo(parseLogLevel),
});

/** Throws `OPTION_INVALID`. */
export function readConfigurationOptions(given: Given, env: Environment): ConfigurationOptions {
  const values = readFlags(configurationFlags, configurationSchema, given, env);
  return Object.freeze({
    configPath: values.containerdRegistryConfigPath,
    mirroredRegistries: values.mirroredRegistries,
    mirrorTargets: values.mirrorTargets,
    resolveTags: values.resolveTags,
    prependExisting: values.prependExisting,
    basicAuthPath: values.basicAuthPath,
    logLevel: values.logLevel,
  });
}

/** Throws `OPTION_INVALID`. */
export function readCleanupOptions(given: Given, env: Environment): CleanupOptions {
  const { containerdRegistryConfigPath, addr, logLevel } = readFlags(cleanupFlags, cleanupSchema, given, env);
  return Object.freeze({ configPath: containerdRegistryConfigPath, address: addr, logLevel });
}

/** Throws `OPTION_INVALID`. */
export function readCleanupWaitOptions(given: Given, env: Environment): CleanupWaitOptions {
  const { probeEndpoint, threshold, period, logLevel } = readFlags(cleanupWaitFlags, cleanupWaitSchema, given, env);
  return Object.freeze({ probeEndpoint, threshold, periodUs: period, logLevel });
}

function parseEndpoint(text: string): { readonly host: string; readonly port: number } {
  const { host, port } = parseListenAddress(text);
  if (host !== undefined && port > 0) return { host, port };
  throw new PeiliError('OPTION_INVALID', 'give host:port, a name whose addresses are the cleanups');
}
