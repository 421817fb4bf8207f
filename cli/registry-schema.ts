import * as v from 'valibot';
import { PeiliError, createRegistryFilter, parseRegistryEntry } from '../core/index.ts';
import {
  formatAddress,
  parseDomain,
  parseHttpUrl,
  parseListenAddress,
  parseRouterAddress,
  parseRouterPeer,
} from './addresses.ts';
import { list, textTo } from './flag-table.ts';
import { parseBoolean, parseDurationUs, parseInteger } from './go-values.ts';

export const registrySchema = v.object({
  store: textTo(parseStore),
  containerdSock: textTo(parseSocket),
  containerdNamespace: textTo(parseNamespace),
  containerdContentPath: v.optional(textTo(parseAbsolutePath)),
  containerdRegistryConfigPath: v.optional(textTo(parseConfigPath)),
  basicAuthPath: v.string(),
  registryAddr: textTo(parseListenAddress),
  routerAddr: textTo((text) => formatAddress(parseRouterAddress(text))),
  metricsAddr: textTo(parseListenAddress),
  bootstrapKind: textTo(oneOf('none', 'dns', 'http', 'static')),
  dnsBootstrapDomain: v.optional(textTo(parseDomain)),
  httpBootstrapAddr: v.optional(textTo(parseListenAddress)),
  httpBootstrapPeer: v.optional(textTo(parseHttpUrl)),
  staticBootstrapPeers: list(parseRouterPeer),
  dataDir: v.optional(v.string()),
  zone: v.optional(textTo(parseZone), ''),
  mirroredRegistries: list(parseRegistryName),
  registryFilters: list(parsePattern),
  blobsOnlyRegistries: list(parseRegistryName),
  resolveLatestTag: textTo(parseBoolean),
  modePath: list(parseAbsolutePath),
  tagMaxAge: textTo(parseDurationUs),
  blobVerification: textTo(oneOf('off', 'suspect', 'always')),
  mirrorResolveTimeout: v.optional(textTo(parsePositiveDurationUs)),
  mirrorResolveRetries: v.optional(textTo(parseInteger(1, 1000))),
  canaryInterval: v.optional(textTo(parseDurationUs)),
  logLevel: textTo(parseLogLevel),
  requestLog: textTo(parseBoolean),
  debugWebEnabled: textTo(parseBoolean),
  debugPort: textTo(parseInteger(0, 65_535)),
  watchdog: textTo(parseBoolean),
});

/** The flags' values, each right by itself. */
export type RegistryValues = v.InferOutput<typeof registrySchema>;

/** The kind of a store, and a layout's directory. */
function parseStore(text: string): { kind: 'containerd' } | { kind: 'oci-layout'; directory: string } {
  if (text === 'containerd') return { kind: 'containerd' };
  const directory = /^oci-layout:(.+)$/s.exec(text)?.[1];
  if (directory !== undefined) return { kind: 'oci-layout', directory };
  throw invalid('give containerd, or oci-layout:<directory>, where an OCI image layout is');
}

/** A path; as crictl and the kubelet write it, too. */
export function parseSocket(text: string): string {
  return parseAbsolutePath(text.replace(/^unix:\/\/(?=\/)/, ''));
}

export function parseAbsolutePath(text: string): string {
  if (text.startsWith('/')) return text;
  throw invalid('give an absolute path');
}

/** containerd's own rule for the names of namespaces (its pkg/identifiers). */
export function parseNamespace(text: string): string {
  if (text.length <= 76 && /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/.test(text)) return text;
  throw invalid('give a name of letters and digits with dots, dashes or underscores between, as in k8s.io');
}

export function parseZone(text: string): string {
  if (/^[A-Za-z0-9_.-]{0,63}$/.test(text)) return text;
  throw invalid('give a label value: at most 63 letters, digits, dashes, dots or underscores');
}

export function parseLogLevel(text: string): 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' {
  return oneOf('DEBUG', 'INFO', 'WARN', 'ERROR')(text.toUpperCase());
}

export function parsePositiveDurationUs(text: string): number {
  const us = parseDurationUs(text);
  if (us === 0) throw invalid('give more than 0, such as 100ms');
  return us;
}

function oneOf<const T extends string>(...choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    throw invalid(`give ${choices.slice(0, -1).join(', ')} or ${choices.at(-1) ?? ''}`);
  };
}

/** What the filter itself takes. */
function parsePattern(text: string): string {
  try {
    createRegistryFilter({ registryFilters: [text] });
    return text;
  } catch (error) {
    if (!(error instanceof PeiliError)) throw error;
    const why = error.details['reason'] ?? 'it would filter everything';
    throw invalid(`${why}; give an RE2 pattern, without look-around and back-references`);
  }
}

/** One directory. containerd's own `config_path` may be several, with colons between them; this is the one to write to. */
export function parseConfigPath(text: string): string {
  if (text.startsWith('/') && !text.includes('\0') && !text.includes(':')) return text;
  throw invalid('give one absolute path, as in config_path = "/etc/containerd/certs.d"');
}

export function parseRegistryName(text: string): string {
  try {
    parseRegistryEntry(text);
    return text;
  } catch (error) {
    if (!(error instanceof PeiliError)) throw error;
    throw invalid(
      'give host[:port], https://host[:port] or http://host[:port], without a path; several are separated by spaces',
    );
  }
}

function invalid(mend: string): PeiliError {
  return new PeiliError('OPTION_INVALID', mend);
}
