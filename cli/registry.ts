import { PeiliError, silentObserver } from '../core/index.ts';
import type { MirrorMode, Observer } from '../core/index.ts';
import {
  authorizationOf,
  collectGarbage,
  createSystemClock,
  keepHosts,
  openModeFiles,
  startNode,
  startWatchdog,
} from '../transports/index.ts';
import type { BasicAuth, RunningNode } from '../transports/index.ts';
import { formatAddress } from './addresses.ts';
import type { ListenAddress } from './addresses.ts';
import { combineObservers } from './combine-observers.ts';
import { readBasicAuth } from './credentials.ts';
import { serveDebugPort } from './debug-port/debug-port.ts';
import { openDebugView } from './debug-view/open-debug-view.ts';
import { createLogObserver, createLogger } from './logs.ts';
import type { Logger } from './logs.ts';
import { serveMetrics } from './metrics-server.ts';
import { createMetrics } from './metrics.ts';
import { servePages } from './page-server.ts';
import { flagText } from './registry-flags.ts';
import type { FlagName } from './registry-flags.ts';
import type { RegistryOptions } from './registry-options.ts';

/** After so long a node has met whom it was told of, and its start is over. */
const settledAfterMs = 2000;

export interface RegistryIo {
  /** Ends the node gracefully. */
  readonly signal: AbortSignal;
  /** Where log lines go. */
  readonly log: { write(line: string): void };
  readonly version: string;
}

/**
 * Runs one node until the signal; 0 when it ended well. Rejects, with nothing left behind, with a `PeiliError` that names the flag, when it cannot run as told.
 */
export async function registry(options: RegistryOptions, io: RegistryIo): Promise<number> {
  const logger = createLogger(options.logLevel, io.log);
  const clock = createSystemClock();
  const metrics = createMetrics(clock, { uploadsMax: options.limits.uploadsMax, version: io.version });
  const logs = createLogObserver(logger, clock, { requestLog: options.requestLog });
  const view = options.debugWebEnabled
    ? openDebugView(clock, { limits: options.limits, version: io.version })
    : undefined;
  const undo: (() => Promise<void>)[] = [];
  try {
    const watchdog = options.watchdog
      ? startWatchdog({ limits: options.limits, onFailure: warnUnwatched(logger) })
      : undefined;
    if (watchdog !== undefined) undo.push(watchdog.dispose);
    // A start is work without a pause, and on a machine that boots it takes long. Nobody waits for this node yet, and one that is ended in its start never comes up.
    const watchFromHere = watchdog?.hold();
    if (options.debugPort !== undefined) {
      const { debugPort: port, limits } = options;
      const starting = serveDebugPort({ port, limits, watchdog, version: io.version });
      undo.push((await naming('debugPort', { host: 'localhost', port }, starting)).close);
    }
    const metricsServer = await naming(
      'metricsAddr',
      options.metricsAddress,
      serveMetrics(options.metricsAddress, metrics, view?.routes),
    );
    undo.push(metricsServer.close);
    const observer = combineObservers(metrics.observer, logs, view?.observer ?? silentObserver);
    const { basicAuthPath, hostsPath, limits, modePaths } = options;
    const modes = await openModeFiles({ clock, onNode: observer.onNode }, { paths: modePaths, limits });
    undo.push(async () => {
      modes.close();
    });
    const basicAuth = await naming('basicAuthPath', basicAuthPath, readBasicAuth(basicAuthPath));
    const node = await startOne(options, basicAuth, observer, modes.mode());
    modes.follow(node.setMode);
    const detach = view?.attach(node);
    undo.push(async () => {
      detach?.();
      await node.close();
    });
    if (hostsPath !== undefined) {
      const authorization = basicAuth === undefined ? undefined : authorizationOf(basicAuth);
      const { onNode } = observer;
      undo.push(
        keepHosts({ clock, onNode, onChanged: node.probeCanary }, { configPath: hostsPath, authorization, limits })
          .close,
      );
    }
    // From here on changes are told; this is what they change.
    observer.onNode({ type: 'ready', ...node.readiness() });
    if (modes.mode() !== 'on') observer.onNode({ type: 'mode', mode: modes.mode() });
    if (options.httpBootstrapAddress !== undefined) {
      const pages = { '/id': { contentType: 'application/json', text: node.bootstrapDocument } };
      const address = options.httpBootstrapAddress;
      undo.push((await naming('httpBootstrapAddr', address, servePages(address, pages))).close);
    }
    tellStart(logger, node, [...options.warnings, ...node.warnings], metricsServer.port);
    watchFromHere?.();
    const settled = setTimeout(() => {
      // It waits for helper threads of V8, which a crowded machine may starve.
      const watchAgain = watchdog?.hold();
      collectGarbage();
      watchAgain?.();
    }, settledAfterMs).unref();
    await aborted(io.signal);
    clearTimeout(settled);
    return 0;
  } finally {
    // The bootstrap document first, so that nobody is sent to a node that goes; metrics last, to be read until the end.
    for (const close of undo.reverse()) await close();
  }
}

function warnUnwatched(logger: Logger): (reason: string) => void {
  return (reason) => {
    logger.warn({ reason }, 'the watchdog has ended: a main thread that stands still would not be noticed');
  };
}

async function startOne(
  options: RegistryOptions,
  basicAuth: BasicAuth | undefined,
  observer: Observer,
  mode: MirrorMode,
): Promise<RunningNode> {
  try {
    // They have the same names; what is the program's alone (log level, other addresses) a node does not read.
    return await startNode({ ...options, registry: options.registryAddress, basicAuth, mode, observer });
  } catch (error) {
    throw error instanceof PeiliError ? refusalOf(error, options) : error;
  }
}

/** A node's refusal to start, with the flag that it is about. */
function refusalOf(error: PeiliError, options: RegistryOptions): PeiliError {
  switch (error.code) {
    case 'ADDRESS_IN_USE':
    case 'ADDRESS_INVALID':
      return error.details['listener'] === 'registry'
        ? named(error, 'registryAddr', formatAddress(options.registryAddress))
        : named(error, 'routerAddr', options.routerAddress);
    case 'STORE_INVALID':
      return named(
        error,
        'store',
        'directory' in options.store ? `oci-layout:${options.store.directory}` : 'containerd',
      );
    case 'IDENTITY_INVALID':
    case 'DATA_DIR_INVALID':
      return named(error, 'dataDir', options.dataDir ?? '');
    default:
      return error;
  }
}

async function naming<T>(flag: FlagName, value: ListenAddress | string, starting: Promise<T>): Promise<T> {
  try {
    return await starting;
  } catch (error) {
    const text = typeof value === 'string' ? value : formatAddress(value);
    throw error instanceof PeiliError ? named(error, flag, text) : error;
  }
}

function named(error: PeiliError, flag: FlagName, value: string): PeiliError {
  return new PeiliError(
    error.code,
    `${flagText(flag)} ${JSON.stringify(value)}: ${error.message}`,
    error.details,
    error,
  );
}

function tellStart(logger: Logger, node: RunningNode, warnings: readonly string[], metricsPort: number): void {
  for (const warning of warnings) logger.warn(warning);
  const { peerId, registryAddresses, routerAddresses } = node;
  logger.info({ peerId, registry: registryAddresses, router: routerAddresses, metricsPort }, 'running');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
