import { errorTable, localSourceId, mirrorModes } from '../core/index.ts';
import type { MirrorMode, NodeEvent, Observer, PullEvent, SourceId } from '../core/index.ts';
import { createMetricSet } from './metric-set.ts';
import type { MetricSet } from './metric-set.ts';

export interface MetricsOptions {
  /** Blobs that mirrors may be given at once: `limits.uploadsMax`. */
  readonly uploadsMax: number;
  readonly version: string;
  /** Distinct values of the label `registry`; further registries are counted as `other`. @default 32 */
  readonly registriesMax?: number;
}

export interface Metrics {
  readonly observer: Observer;
  /** The Content-Type of `text`. */
  readonly contentType: string;
  /** Prometheus' text format. */
  text(): Promise<string>;
}

/** What one pull's events say about the next: kept from its start to its end. */
interface OpenPull {
  readonly resource: 'manifest' | 'blob';
  readonly registry: string | undefined;
  readonly asker: 'client' | 'mirror';
  isRelayed: boolean;
}

interface State {
  readonly set: MetricSet;
  readonly pulls: Map<number, OpenPull>;
  readonly registryLabel: (registry: string | undefined) => string;
  readonly wallSeconds: () => number;
}

/** Counts what a node tells. `wallUs` is the time since the epoch, in microseconds. */
export function createMetrics(deps: { readonly wallUs: () => number }, options: MetricsOptions): Metrics {
  const set = createMetricSet();
  set.uploadSlots.set(options.uploadsMax);
  set.buildInfo.set({ version: options.version }, 1);
  setMode(set, 'on');
  const state: State = {
    set,
    pulls: new Map(),
    registryLabel: createRegistryLabel(options.registriesMax ?? 32),
    wallSeconds: () => deps.wallUs() / 1e6,
  };
  return {
    observer: {
      onPull: (event) => {
        countPull(state, event);
      },
      onNode: (event) => {
        countNode(state, event);
      },
    },
    contentType: set.registry.contentType,
    text: () => set.registry.metrics(),
  };
}

/** The first registries by name, all others together: whoever asks chooses the name, and a label must not grow. */
function createRegistryLabel(registriesMax: number): (registry: string | undefined) => string {
  const known = new Set<string>();
  return (registry) => {
    if (registry === undefined) return 'none';
    if (!known.has(registry) && known.size >= registriesMax) return 'other';
    known.add(registry);
    return registry;
  };
}

function countPull(state: State, event: PullEvent): void {
  const { pulls, set } = state;
  if (event.type === 'start') {
    const { resource, registry, mirrored } = event;
    const asker = mirrored ? 'mirror' : 'client';
    pulls.set(event.pullId, { resource, registry, asker, isRelayed: false });
    set.pullsInFlight.inc({ asker });
    if (mirrored && resource === 'blob') set.uploadsInFlight.inc();
    return;
  }
  const pull = pulls.get(event.pullId);
  if (pull === undefined) return;
  if (event.type === 'end') {
    pulls.delete(event.pullId);
    countEnd(state, pull, event);
  } else if (event.type === 'bytes') {
    set.bytes.inc({ source: kindOf(event.source), asker: pull.asker }, event.to - event.from);
  } else {
    if (event.type === 'lookup') pull.isRelayed = true;
    countRelay(set, event);
  }
}

function countEnd(state: State, pull: OpenPull, event: PullEvent & { readonly type: 'end' }): void {
  const { set } = state;
  const { asker, resource, registry } = pull;
  set.pulls.inc({ resource, asker, end: event.reason });
  set.pullDuration.observe({ resource, asker }, event.tookUs / 1e6);
  set.pullsInFlight.dec({ asker });
  if (asker === 'mirror' && resource === 'blob') set.uploadsInFlight.dec();
  if (!pull.isRelayed || asker === 'mirror') return;
  // A client that hung up had its answer: containerd ends ranges that way.
  const isHit = event.status < 400 && (event.reason === 'complete' || event.reason === 'hangup');
  set.mirrorRequests.inc({ registry: state.registryLabel(registry), cache: isHit ? 'hit' : 'miss' });
  if (isHit) set.mirrorLastSuccess.set(state.wallSeconds());
}

function countRelay(set: MetricSet, event: PullEvent): void {
  switch (event.type) {
    case 'lookup':
      set.lookups.inc({ outcome: event.outcome });
      return set.resolveDuration.observe({ router: 'libp2p' }, event.tookUs / 1e6);
    case 'attempt':
      return event.hedge ? set.hedges.inc() : undefined;
    case 'attempt-failed':
      return set.attempts.inc({ outcome: outcomeOf(event.reason) });
    case 'head':
      return event.source === localSourceId ? undefined : set.attempts.inc({ outcome: 'answered' });
    case 'stall':
      return set.stalls.inc();
    case 'switch':
      return set.switches.inc();
    case 'resume':
      return set.resumes.inc();
    case 'suspect':
      // What is pending gets its word later.
      return event.proof === 'pending' ? undefined : set.suspicions.inc({ proof: event.proof });
    case 'liar':
      return set.liars.inc();
    case 'start':
    case 'bytes':
    case 'end':
      return undefined;
  }
}

function countNode({ set, wallSeconds }: State, event: NodeEvent): void {
  switch (event.type) {
    case 'advertised':
      set.advertisedKeys.set(event.keys);
      // Spegel tells registries apart; the sum is the same.
      set.advertisedTags.set({ registry: 'all' }, event.tags);
      return set.advertisedDigests.set({ registry: 'all' }, event.digests);
    case 'advertise-failed':
      return set.advertiseFailures.inc();
    case 'withdrawn':
      return set.withdrawnKeys.inc(event.keys);
    case 'records':
      set.records.set(event.keys);
      set.recordSenders.set(event.senders);
      return set.warming.set(event.warming ? 1 : 0);
    case 'members':
      set.members.set(event.total);
      return set.membersConnected.set(event.connected);
    case 'ready':
      return set.ready.set(event.ready ? 1 : 0);
    case 'draining':
      return set.ready.set(0);
    case 'mode':
      return setMode(set, event.mode);
    case 'mode-failed':
      return set.modeFailures.inc();
    case 'canary':
      set.canaries.inc({ outcome: event.outcome });
      return set.setCanary(event.arrived, wallSeconds());
    case 'content-wrong':
      return set.contentWrong.inc();
    case 'unauthorized':
      return set.unauthorized.inc({ asker: event.mirrored ? 'mirror' : 'client' });
    case 'hosts-mended':
      return set.hostsMended.inc(event.paths.length);
    case 'hosts-failed':
      return set.hostsFailures.inc();
    case 'request-failed':
      return set.requestFailures.inc();
    case 'store-connection':
      return set.storeConnected.set({ store: event.store }, event.connected ? 1 : 0);
    case 'store-failed':
      return set.storeFailures.inc();
    case 'name-skipped':
      return set.namesSkipped.inc();
  }
}

function setMode(set: MetricSet, now: MirrorMode): void {
  for (const mode of mirrorModes) set.mode.set({ mode }, mode === now ? 1 : 0);
}

function kindOf(source: SourceId): 'local' | 'peer' {
  return source === localSourceId ? 'local' : 'peer';
}

/** Our codes as they are; the text of a foreign error could be anything. */
function outcomeOf(reason: string): string {
  return Object.hasOwn(errorTable, reason) ? reason : 'other';
}
