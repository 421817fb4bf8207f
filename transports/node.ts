import process from 'node:process';
import {
  createMirror,
  createRegistryFilter,
  defaultLimits,
  errorResponse,
  PeiliError,
  silentObserver,
} from '../core/index.ts';
import type {
  BlobVerification,
  Clock,
  ContentStore,
  Limits,
  Mirror,
  MirrorNode,
  Membership,
  MirrorMode,
  Observer,
  RegistryFilterOptions,
} from '../core/index.ts';
import { ociArchitecture } from './canary/architecture.ts';
import { createCanaryProber } from './canary/canary-prober.ts';
import type { CanaryProber, CanaryProberDeps } from './canary/canary-prober.ts';
import { createContainerdStore } from './containerd/containerd-store.ts';
import { createCriClient } from './containerd/cri.ts';
import type { Readiness } from './http/answer.ts';
import { authorizationOf } from './http/basic-auth.ts';
import type { BasicAuth } from './http/basic-auth.ts';
import { createPeerClient } from './http/peer-client.ts';
import { serveHttp } from './http/server.ts';
import type { HttpServer } from './http/server.ts';
import type { BootstrapOptions } from './libp2p/bootstrap.ts';
import { createLibp2pNode } from './libp2p/libp2p-node.ts';
import type { Libp2pNode } from './libp2p/libp2p-node.ts';
import { createOciLayoutStore } from './oci-layout/oci-layout-store.ts';
import { createBufferPool } from './system/buffer-pool.ts';
import type { BufferPool } from './system/buffer-pool.ts';
import { createSystemClock } from './system/clock.ts';
import { createDigester } from './system/digester.ts';
import { createRandom } from './system/random.ts';

export type StoreOptions =
  | { readonly kind: 'oci-layout'; readonly directory: string }
  | {
      readonly kind: 'containerd';
      /** The path of containerd's socket. */
      readonly socket: string;
      readonly namespace: string;
      /** The directory that has `blobs/`, as this process sees it. @default asked from containerd */
      readonly contentPath?: string | undefined;
    };

export interface NodeOptions {
  /** Where containerd and other mirrors ask. Port 0: any free one. */
  readonly registry: { readonly host?: string | undefined; readonly port: number };
  /** Where members talk: `host:port`, `[ipv6]:port` or `:port`. */
  readonly routerAddress: string;
  readonly bootstrap: BootstrapOptions;
  /** What this node serves. */
  readonly store: StoreOptions;
  /** Proves every `intervalUs` that the containerd at `socket` asks this node: an event `canary` for each. @default nothing is proven */
  readonly canary?: { readonly socket: string; readonly intervalUs: number } | undefined;
  /** Topology zone. @default '' */
  readonly zone?: string;
  /** Where the identity is kept. @default a new identity at each start */
  readonly dataDir?: string | undefined;
  /** What mirrors ask of each other and of containerd. @default nothing */
  readonly basicAuth?: BasicAuth | undefined;
  /** @default everything is mirrored */
  readonly filter?: RegistryFilterOptions;
  /** @default 'suspect' */
  readonly blobVerification?: BlobVerification;
  /** @default no limit */
  readonly tagMaxAgeUs?: number | undefined;
  /** How much it does, at its start. @default 'on' */
  readonly mode?: MirrorMode;
  /** @default defaultLimits */
  readonly limits?: Limits;
  /** @default nobody watches */
  readonly observer?: Observer;
}

/** A node that runs: real libp2p, real HTTP, a real store. */
export interface RunningNode {
  readonly peerId: string;
  readonly registryPort: number;
  /** As in URLs: `127.0.0.1:5000`. */
  readonly registryAddresses: readonly string[];
  /** Multiaddrs with the peer id: what another node's static bootstrap takes. */
  readonly routerAddresses: readonly string[];
  readonly membership: Membership;
  /** Measures what a client would get, and who has what. */
  readonly mirror: Pick<MirrorNode, 'measure' | 'lookup'>;
  /** What this node has, and how it changes. */
  readonly store: Pick<ContentStore, 'list' | 'watch'>;
  /** What a bootstrap by HTTP is answered with. */
  bootstrapDocument(): string;
  /** Has containerd prove now that it uses this node, where a canary is kept: hosts.toml has changed. */
  probeCanary(): void;
  /** For the operator, at start. */
  readonly warnings: readonly string[];
  readiness(): Readiness;
  /** For requests that arrive from now on. */
  setMode(mode: MirrorMode): void;
  /** Stops gracefully: sends mirrors elsewhere, withdraws, lets bodies in flight end, at most `limits.drainTimeoutUs`. Idempotent. */
  close(): Promise<void>;
  /** Stops at once, as a crash does: nothing is withdrawn, bodies in flight are cut. */
  kill(): Promise<void>;
}

interface Parts {
  readonly store: NodeStore;
  readonly readiness: () => Readiness;
  readonly server: HttpServer;
  readonly router: Libp2pNode;
  readonly mirror: MirrorNode;
  readonly probeCanary: () => void;
  /** Ends what has no life of its own. */
  readonly release: () => Promise<void>;
}

/**
 * Puts the real ports together to one running node.
 * Rejects with `STORE_INVALID`, `ADDRESS_INVALID`, `ADDRESS_IN_USE`, `FILTER_INVALID`, `OPTION_INVALID` or `IDENTITY_INVALID`; nothing is left behind then.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { limits = defaultLimits } = options;
  const filter = createRegistryFilter(options.filter);
  const clock = createSystemClock();
  const undo: (() => unknown)[] = [];
  try {
    const parts = await startParts(options, filter, limits, clock, undo);
    return runningNode(parts, filter.warnings, limits, clock);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

async function startParts(
  options: NodeOptions,
  filter: ReturnType<typeof createRegistryFilter>,
  limits: Limits,
  clock: ReturnType<typeof createSystemClock>,
  undo: (() => unknown)[],
): Promise<Parts> {
  const { zone = '' } = options;
  const random = createRandom();
  const digester = createDigester();
  undo.push(digester.dispose);
  const buffers = createBufferPool(limits);
  const late: Late = { mirror: startingMirror, readiness: startingReadiness };
  const observer = tellingReadiness(options.observer ?? silentObserver, late);
  const store = await openStore(options.store, { clock, buffers, observer }, limits);
  undo.push(store.close);
  const { basicAuth } = options;
  const authorization = basicAuth === undefined ? undefined : authorizationOf(basicAuth);
  const peers = createPeerClient({ clock, buffers }, { limits, authorization });
  undo.push(peers.close);

  // The registry listens first, because its port is part of what members are told.
  const mirrorOfNow: Mirror = { answer: (input, signal) => late.mirror.answer(input, signal) };
  const server = await serveHttp(
    { mirror: mirrorOfNow, clock, observer, readiness: () => late.readiness() },
    { ...options.registry, limits, basicAuth },
  );
  undo.push(server.close);
  const router = await createLibp2pNode(
    { clock, random, observer },
    {
      routerAddress: options.routerAddress,
      registryPort: server.port,
      zone,
      bootstrap: options.bootstrap,
      limits,
      ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    },
  );
  undo.push(router.dispose);
  const { membership, records } = router;
  const { blobVerification, mode, tagMaxAgeUs } = options;
  const mirror = createMirror(
    { clock, random, digester, store, membership, records, peers, observer },
    {
      filter,
      limits,
      ...(blobVerification === undefined ? {} : { blobVerification }),
      ...(tagMaxAgeUs === undefined ? {} : { tagMaxAgeUs }),
      ...(mode === undefined ? {} : { mode }),
    },
  );
  undo.push(mirror.dispose);
  mirror.start();
  late.mirror = mirror;
  late.readiness = () => {
    const { ready, reason } = store.readiness();
    return ready ? router.readiness() : { ready, reason };
  };
  const prober = startCanary(options, { clock, random, observer, canary: mirror.canary }, limits);
  const release = async (): Promise<void> => {
    prober.stop();
    mirror.dispose();
    await router.dispose();
    peers.close();
    store.close();
    await digester.dispose();
  };
  return { store, readiness: () => late.readiness(), server, router, mirror, probeCanary: prober.soon, release };
}

/** What the registry answers with, as soon as it is there. */
interface Late {
  mirror: Mirror;
  readiness: () => Readiness;
}

interface NodeStore extends ContentStore {
  readiness(): Readiness;
  close(): void;
}

async function openStore(
  options: StoreOptions,
  deps: { readonly clock: Clock; readonly buffers: BufferPool; readonly observer: Observer },
  limits: Limits,
): Promise<NodeStore> {
  if (options.kind === 'containerd') return createContainerdStore(deps, { ...options, limits });
  const store = await createOciLayoutStore(deps, { directory: options.directory, limits });
  return { ...store, readiness: () => ({ ready: true, reason: 'the layout has been read' }) };
}

/** Both the members and the store make a node ready: what either tells of it becomes what is true of the whole. */
function tellingReadiness(observer: Observer, late: Pick<Late, 'readiness'>): Observer {
  return {
    onPull: observer.onPull,
    onNode: (event) => {
      if (event.type !== 'ready') observer.onNode(event);
      if (event.type === 'ready' || event.type === 'store-connection') {
        observer.onNode({ type: 'ready', ...late.readiness() });
      }
    },
  };
}

function startCanary(
  { canary }: NodeOptions,
  deps: Omit<CanaryProberDeps, 'cri'>,
  limits: Limits,
): Pick<CanaryProber, 'soon' | 'stop'> {
  if (canary === undefined) return { soon: () => undefined, stop: () => undefined };
  const cri = createCriClient(canary);
  const architecture = ociArchitecture(process.arch);
  const prober = createCanaryProber({ ...deps, cri }, { architecture, intervalUs: canary.intervalUs, limits });
  prober.start();
  return {
    soon: prober.soon,
    stop: () => {
      prober.stop();
      cri.close();
    },
  };
}

function runningNode(
  { store, readiness, server, router, mirror, probeCanary, release }: Parts,
  warnings: readonly string[],
  limits: Limits,
  clock: ReturnType<typeof createSystemClock>,
): RunningNode {
  const stopping: { done: Promise<void> | undefined } = { done: undefined };
  const closeGracefully = async (): Promise<void> => {
    const deadline = new AbortController();
    const timer = clock.schedule(limits.recordsSendTimeoutUs, () => {
      deadline.abort();
    });
    const bodiesGone = server.close();
    await mirror.drain(deadline.signal).catch(() => undefined); // Withdrawing is a courtesy: records end by themselves.
    timer.cancel();
    await bodiesGone;
    await release();
  };
  return {
    peerId: router.peerId,
    registryPort: server.port,
    registryAddresses: server.addresses,
    routerAddresses: router.addresses,
    membership: router.membership,
    mirror,
    store,
    bootstrapDocument: router.bootstrapDocument,
    probeCanary,
    warnings,
    readiness,
    setMode: mirror.setMode,
    close: () => (stopping.done ??= closeGracefully()),
    kill: async () => {
      // Bodies that a graceful stop waits for are cut too.
      const cut = server.kill();
      stopping.done ??= release();
      await Promise.all([cut, stopping.done]);
    },
  };
}

const startingMirror: Mirror = {
  answer: ({ headers, method }) => {
    const mirrored = headers['x-spegel-mirrored'] === 'true';
    return Promise.resolve(errorResponse(new PeiliError('STARTING', 'this mirror is starting'), { method, mirrored }));
  },
};

function startingReadiness(): Readiness {
  return { ready: false, reason: 'starting' };
}
