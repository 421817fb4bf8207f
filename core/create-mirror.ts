import type { RegistryFilter } from './filters/registry-filter.ts';
import { createCanary } from './canary/canary.ts';
import type { Canary } from './canary/canary.ts';
import { createAdvertiser } from './advertising/advertiser.ts';
import { createAnswer } from './handlers/answer.ts';
import { limitUploads } from './handlers/limit-uploads.ts';
import type { DistributionResponse } from './handlers/handler.ts';
import type { Mirror, RequestText } from './handlers/mirror.ts';
import { isManifestType } from './handlers/media-type.ts';
import { createPullReports } from './handlers/pull-report.ts';
import { createStacks } from './handlers/stacks.ts';
import type { BlobVerification } from './handlers/verify.ts';
import { defaultLimits } from './limits.ts';
import type { Limits } from './limits.ts';
import { silentObserver, silentProbe } from './ports/index.ts';
import type {
  Clock,
  ContentStore,
  Digester,
  Membership,
  MirrorMode,
  Observer,
  PeerClient,
  Probe,
  PullEvent,
  Random,
  Records,
} from './ports/index.ts';
import { createRegistryFilter } from './filters/registry-filter.ts';
import { createFailureMemory } from './relay/failure-memory.ts';
import { createSizeMemory } from './relay/size-memory.ts';
import { createStanding } from './relay/standing.ts';
import { createRouter } from './routing/router.ts';
import type { Router } from './routing/router.ts';
import { createSelfCheck } from './verification/self-check.ts';
import { createSuspicion } from './verification/suspicion.ts';

/** What a mirror is built on: real parts, memory or a simulation. */
export interface MirrorPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly digester: Digester;
  readonly store: ContentStore;
  readonly membership: Membership;
  readonly records: Records;
  readonly peers: PeerClient;
  /** @default nobody watches */
  readonly observer?: Observer;
  /** What a test campaign wants to see, and where it may interfere. @default nothing, as in production */
  readonly probe?: Probe;
}

export interface MirrorOptions {
  /** What is mirrored. @default everything */
  readonly filter?: RegistryFilter;
  /** When blobs are hashed as they pass. @default 'suspect' */
  readonly blobVerification?: BlobVerification;
  /** A tag resolved longer ago is neither answered nor advertised, microseconds. @default no limit */
  readonly tagMaxAgeUs?: number;
  /** At its start. @default 'on' */
  readonly mode?: MirrorMode;
  /** @default defaultLimits */
  readonly limits?: Limits;
}

export interface MeasureOptions {
  /** Whether this node's own content may be the answer; else its peers are asked all the same. */
  readonly ownContent: boolean;
  readonly onEvent: (event: PullEvent) => void;
}

/** One node: answers requests, keeps its share of the routing records, says what it has. */
export interface MirrorNode extends Mirror {
  /** What proves that a containerd asks this mirror. */
  readonly canary: Canary;
  /** Answers as it answers a client, for whoever measures it: only `onEvent` is told, no metric counts it, and no source gets under suspicion. */
  measure(input: RequestText, signal: AbortSignal, options: MeasureOptions): Promise<DistributionResponse>;
  /** Who has this digest or tag reference, as a request would find out. */
  readonly lookup: Router['lookup'];
  /** For requests that arrive from now on. A mirror that is `off` advertises nothing; it goes on keeping its share of the records. */
  setMode(mode: MirrorMode): void;
  /** Begins to advertise what the store has, and goes on doing so. */
  start(): void;
  /** Before a stop: other mirrors are sent elsewhere, and what was advertised is withdrawn. */
  drain(signal: AbortSignal): Promise<void>;
  /** Lets go of everything at once; bodies in flight end. Idempotent. */
  dispose(): void;
}

/**
 * Builds a node from its ports.
 *
 * @example
 * const node = createMirror({ clock, random, digester, store, membership, records, peers });
 * node.start();
 * const response = await node.answer({ method: 'GET', target: '/v2/', headers: {} }, signal);
 */
export function createMirror(ports: MirrorPorts, options: MirrorOptions = {}): MirrorNode {
  const { clock, digester, membership, store } = ports;
  const {
    blobVerification = 'suspect',
    filter: registryFilter = createRegistryFilter(),
    limits = defaultLimits,
    tagMaxAgeUs,
  } = options;
  const observer = ports.observer ?? silentObserver;
  const now = { mode: options.mode ?? 'on' };
  const uploads = limitUploads(limits.uploadsMax);
  const failures = createFailureMemory(clock, limits);
  const sizes = createSizeMemory(limits);
  const suspicion = createSuspicion(clock, limits);
  const lookup = createRouter({ ...ports, observer }, { limits, freeSlots: uploads.free });
  const advertiser = createAdvertiser(
    { ...ports, observer, router: lookup },
    {
      limits,
      allowsContent: (content) => registryFilter.allowsAdvertising(content, isManifestType(content.mediaType)),
      allowsTag: registryFilter.allowsTag,
      advertises: () => now.mode !== 'off',
      tagMaxAgeUs,
      freeSlots: uploads.free,
    },
  );
  const selfCheck = createSelfCheck({ clock, store, digester, observer }, limits, (digest) => {
    advertiser.withdrawContent(digest);
  });

  const standing = createStanding(clock, limits);
  const { zone } = membership.self;
  const memories = { failures, sizes, standing, suspicion };
  const probe = ports.probe ?? silentProbe;
  const deps = { ...ports, ...memories, observer, probe, limits, lookup, selfCheck, tagMaxAgeUs, zone };
  const canary = createCanary(digester, limits);
  const stacks = createStacks(deps, {
    canary,
    filter: registryFilter,
    mode: () => now.mode,
    uploads,
    blobVerification,
  });

  const stopWatching = store.watch((change) => {
    if (change.type === 'content-removed') selfCheck.forget(change.digest);
    if (change.type === 'content-added') selfCheck.forget(change.content.digest);
  });
  return {
    canary,
    answer: createAnswer(clock, stacks, createPullReports(clock, observer)),
    measure: (input, signal, { ownContent, onEvent }) => {
      const clients = ownContent ? stacks.measured : stacks.measuredPeers;
      const reports = createPullReports(clock, { ...silentObserver, onPull: onEvent });
      return createAnswer(clock, { ...stacks, clients }, reports)(input, signal);
    },
    lookup: (key, onHolders, signal) => lookup.lookup(key, onHolders, signal),
    setMode: (mode) => {
      if (mode === now.mode) return;
      now.mode = mode;
      advertiser.reconsider();
      observer.onNode({ type: 'mode', mode });
    },
    start: () => {
      advertiser.start();
    },
    drain: async (signal) => {
      uploads.close();
      observer.onNode({ type: 'draining' });
      await advertiser.withdrawAll(signal);
    },
    dispose: () => {
      stopWatching();
      advertiser.dispose();
      lookup.dispose();
      selfCheck.dispose();
    },
  };
}
