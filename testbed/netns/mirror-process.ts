import { open } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { capsuleDirectory } from './capsule.ts';
import { until } from './conditions.ts';
import { lastWords } from './log-file.ts';
import { clientBytesBySource, pullsIn, readLog } from './mirror-log.ts';
import type { LogLine, MirrorPull } from './mirror-log.ts';
import type { Namespace } from './namespace.ts';
import { handleOf } from './process-handle.ts';
import type { ProcessHandle } from './process-handle.ts';
import { parseMetrics } from './prometheus-text.ts';
import type { MetricSamples } from './prometheus-text.ts';

export interface MirrorOptions {
  /** Further flags of its `registry` command. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Another program with the flags that Spegel has: `['/path/spegel']`. @default this checkout */
  readonly program?: readonly string[];
  /** What hosts.toml says of tags. @default true */
  readonly resolveTags?: boolean;
  /** Runs the program's `configuration` command before, as an init container does. @default at the node's first start of a mirror */
  readonly configure?: boolean;
  /** Further flags of that command. */
  readonly configurationFlags?: readonly string[];
  /** Wait until it is ready: it knows a member, or there is nobody to know. @default true as soon as another mirror runs */
  readonly untilReady?: boolean;
}

/** A node's mirror: a process with the flags that an operator would give. */
export interface Mirror extends ProcessHandle {
  /** Its own name in the cluster, where the program says it: the libp2p peer id. */
  readonly peerId: string | undefined;
  /** As containerd on the node reaches it. */
  readonly registryUrl: string;
  readonly metricsUrl: string;
  /** Path of the log, JSON lines. */
  readonly logFile: string;
  lines(): Promise<readonly LogLine[]>;
  /** Requests that have ended, oldest first. */
  pulls(): Promise<readonly MirrorPull[]>;
  /** Bytes that this node's clients were given through it, by source: a node's name, or `local`. */
  bytesBySource(): Promise<Readonly<Record<string, number>>>;
  metrics(): Promise<MetricSamples>;
  /** `/readyz` says yes. */
  isReady(): Promise<boolean>;
}

export interface MirrorPlaces {
  readonly logFile: string;
  /** As the test process reaches it: `http://10.77.0.11`. */
  readonly url: string;
  /** As the node reaches itself. */
  readonly loopback: string;
  /** A name whose addresses are all nodes. */
  readonly membersName: string;
  /** The address that others reach it by, as `--router-addr` wants it. */
  readonly routerHost: string;
}

export const mirrorPorts = { registry: 5000, router: 5001, metrics: 9090 } as const;
/** Seconds on a quiet machine; this one may do the work of several clusters. */
const startTimeoutMs = 60_000;
const mainFile = import.meta.url.endsWith('.ts') ? '../../cli/main.ts' : '../../peili.mjs';
/** The program of the same checkout, without a build; of a published package, its bundle. */
export const ownProgram: readonly string[] = [process.execPath, fileURLToPath(new URL(mainFile, import.meta.url))];

/** So that the next start of the same sources takes half the time. Other programs are left as they are. */
function startEnvironment({ program, env }: MirrorOptions): Record<string, string | undefined> {
  const cache = program === undefined ? { NODE_COMPILE_CACHE: join(capsuleDirectory, 'compile-cache') } : {};
  return { PATH: process.env['PATH'], HOME: '/root', ...cache, ...env };
}

/** Runs `configuration`, which writes hosts.toml: of this registry, with the node's own mirror. */
export async function configureHosts(
  namespace: Namespace,
  options: MirrorOptions,
  server: string,
  target: string,
): Promise<void> {
  const { program = ownProgram, resolveTags = true, configurationFlags = [] } = options;
  const flags = ['--mirrored-registries', server, '--mirror-targets', target, `--resolve-tags=${resolveTags}`];
  await namespace.run([...program, 'configuration', ...flags, ...configurationFlags], startEnvironment(options));
}

/** Starts a mirror in the node's namespaces and waits until it answers. */
export async function startMirrorProcess(
  namespace: Namespace,
  options: MirrorOptions,
  places: MirrorPlaces,
  nameOf: (memberId: string) => string,
): Promise<Mirror> {
  const { program = ownProgram, flags = [] } = options;
  const isOwn = options.program === undefined;
  const command = [
    ...program,
    'registry',
    ...addressFlags(places),
    ...(isOwn ? ['--request-log', 'true'] : []),
    ...flags,
  ];
  const log = await open(places.logFile, 'a');
  const child = namespace.spawn(command, {
    stdio: ['ignore', log.fd, log.fd],
    env: startEnvironment(options),
  });
  await log.close();
  const handle = handleOf(child);
  const { logFile, url, loopback } = places;
  const lines = (): Promise<readonly LogLine[]> => readLog(logFile);
  const pulls = async (): Promise<readonly MirrorPull[]> => pullsIn(await lines(), nameOf);
  const metricsUrl = `${url}:${mirrorPorts.metrics}/metrics`;
  const mirror = {
    ...handle,
    registryUrl: `http://${loopback}:${mirrorPorts.registry}`,
    metricsUrl,
    logFile,
    lines,
    pulls,
    bytesBySource: async () => clientBytesBySource(await pulls()),
    metrics: async () => parseMetrics(await (await fetch(metricsUrl, { signal: AbortSignal.timeout(5000) })).text()),
    isReady: async () => (await readyStatus(url)) === 200,
  };
  try {
    await until(
      'the mirror answers',
      async () => {
        if (!handle.isRunning()) throw new Error('the mirror ended at its start');
        return (await readyStatus(url)) !== undefined;
      },
      startTimeoutMs,
    );
    if (options.untilReady === true) await until('the mirror is ready', mirror.isReady, startTimeoutMs);
    return { ...mirror, peerId: peerIdIn(await lines()) };
  } catch (error) {
    await handle.kill();
    throw new Error(`a node without its mirror:\n${await lastWords(logFile)}`, { cause: error });
  }
}

function addressFlags({ membersName, routerHost }: MirrorPlaces): string[] {
  return [
    ...['--registry-addr', `:${mirrorPorts.registry}`],
    ...['--router-addr', `${routerHost}:${mirrorPorts.router}`],
    ...['--metrics-addr', `:${mirrorPorts.metrics}`],
    ...['--bootstrap-kind', 'dns', '--dns-bootstrap-domain', membersName],
  ];
}

/** Undefined: nobody answers. Spegel up to v0.4 has /healthz alone. */
async function readyStatus(url: string): Promise<number | undefined> {
  const ask = async (path: string): Promise<number | undefined> => {
    try {
      const answer = await fetch(`${url}:${mirrorPorts.registry}${path}`, { signal: AbortSignal.timeout(2000) });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return undefined;
    }
  };
  const status = await ask('/readyz');
  return status === 404 ? ask('/healthz') : status;
}

/** `running` of this program, `starting p2p router` of Spegel. */
function peerIdIn(lines: readonly LogLine[]): string | undefined {
  const line = lines.findLast(({ msg }) => msg === 'running' || msg === 'starting p2p router');
  const id = line?.['peerId'] ?? line?.['id'];
  return typeof id === 'string' ? id : undefined;
}
