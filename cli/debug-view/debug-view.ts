import { canaryRegistry, isDigest, localSourceId } from '../../core/index.ts';
import type { Limits, Member, NodeEvent, Observer, PullEvent } from '../../core/index.ts';
import type { RunningNode } from '../../transports/index.ts';
import { createBusyTime } from './busy-time.ts';
import type { BusyTime } from './busy-time.ts';
import { createPullLog } from './pull-log.ts';
import type { PullLog } from './pull-log.ts';
import type { DebugSnapshot, MeasurementView, MemberView, SavedView } from './snapshot.ts';
import { createTroubles } from './troubles.ts';
import type { Troubles } from './troubles.ts';
import { createUpstreamRate } from './upstream-rate.ts';
import type { UpstreamRate } from './upstream-rate.ts';
import { judge } from './verdict.ts';

export interface DebugViewDeps {
  /** Monotonic, as in the events; microseconds. */
  readonly nowUs: () => number;
  readonly wallUs: () => number;
}

export interface DebugViewOptions {
  readonly limits: Limits;
  readonly version: string;
}

type ViewedNode = Pick<RunningNode, 'peerId' | 'registryAddresses' | 'membership' | 'store' | 'readiness'>;

/** What one node tells, put together for who wants to know whether it works. In memory alone, and bounded. */
export interface DebugView {
  readonly observer: Observer;
  /** From here on there is a node to look at. Returns how to let go of it. */
  attach(node: ViewedNode): () => void;
  /** Keeps what was measured. */
  keep(measurement: MeasurementView): void;
  snapshot(): Promise<DebugSnapshot>;
}

interface State {
  readonly pulls: PullLog;
  readonly upstream: UpstreamRate;
  readonly troubles: Troubles;
  readonly busy: BusyTime;
  /** Requests of clients under way: their keys. */
  readonly open: Map<number, string>;
  /** Requests of mirrors under way. */
  readonly given: Set<number>;
  readonly saved: { peerBytes: number; localBytes: number; givenBytes: number };
  node: ViewedNode | undefined;
  lastSuccess: DebugSnapshot['lastSuccess'];
  canary: DebugSnapshot['canary'];
  advertised: DebugSnapshot['advertised'];
  mode: DebugSnapshot['mode'];
  images: { readonly atUs: number; readonly listing: Promise<DebugSnapshot['images']> } | undefined;
}

export function createDebugView(deps: DebugViewDeps, { limits, version }: DebugViewOptions): DebugView {
  const startedAtMs = wallMs(deps);
  // Reckoned once: a pull keeps its time, whatever is done to the clock.
  const sinceUs = deps.wallUs() - deps.nowUs();
  const measurements: MeasurementView[] = [];
  const state: State = {
    pulls: createPullLog(limits),
    upstream: createUpstreamRate(deps.nowUs, limits),
    troubles: createTroubles(limits),
    busy: createBusyTime(deps.nowUs),
    open: new Map(),
    given: new Set(),
    saved: { peerBytes: 0, localBytes: 0, givenBytes: 0 },
    node: undefined,
    lastSuccess: null,
    canary: null,
    advertised: null,
    mode: 'on',
    images: undefined,
  };
  return {
    observer: {
      onPull: (event) => {
        notePull(state, deps, event);
      },
      onNode: (event) => {
        noteNode(state, deps, event);
      },
    },
    attach: (node) => {
      state.node = node;
      return node.store.watch((change) => {
        if (change.type !== 'content-added') return;
        const { digest, sizeBytes } = change.content;
        const arrival = state.upstream.arrived(digest, sizeBytes);
        if (arrival !== undefined) state.pulls.arrived(digest, sizeBytes, deps.nowUs(), arrival.tookUs);
      });
    },
    keep: (measurement) => {
      measurements.unshift(measurement);
      if (measurements.length > limits.measurementsMax) measurements.pop();
    },
    snapshot: async () => {
      const facts = factsOf(state, limits);
      return {
        version,
        atMs: wallMs(deps),
        startedAtMs,
        verdict: judge({ ...facts, isRunning: state.node !== undefined, storeTrouble: state.troubles.ofStore() }),
        ...facts,
        advertised: state.advertised,
        images: await imagesOf(state, deps, limits),
        saved: savedOf(state),
        pulls: state.pulls.views((us) => us + sinceUs),
        measurements: [...measurements],
        troubles: state.troubles.views(),
      };
    },
  };
}

function wallMs({ wallUs }: DebugViewDeps): number {
  return Math.floor(wallUs() / 1000);
}

function notePull(state: State, deps: DebugViewDeps, event: PullEvent): void {
  if (event.type === 'start') {
    if (event.registry === canaryRegistry) return; // It has a line of its own.
    if (event.mirrored) state.given.add(event.pullId);
    else {
      state.open.set(event.pullId, event.key);
      state.busy.begin();
      state.pulls.add(event);
    }
    return;
  }
  if (event.type === 'bytes') countBytes(state, event);
  const key = state.open.get(event.pullId);
  if (event.type === 'end') state.given.delete(event.pullId);
  if (key === undefined) return;
  if (event.type === 'end') {
    noteEnd(state, deps, key, event);
    state.open.delete(event.pullId);
    state.busy.end();
  }
  state.pulls.add(event);
}

function countBytes(state: State, event: PullEvent & { readonly type: 'bytes' }): void {
  const bytes = event.to - event.from;
  if (state.given.has(event.pullId)) state.saved.givenBytes += bytes;
  else if (!state.open.has(event.pullId)) return;
  else if (event.source === localSourceId) state.saved.localBytes += bytes;
  else state.saved.peerBytes += bytes;
}

function noteEnd(state: State, deps: DebugViewDeps, key: string, event: PullEvent & { readonly type: 'end' }): void {
  if (event.reason === 'not-found' && isDigest(key)) state.upstream.missed(key);
  const part = state.pulls.partOf(event.pullId);
  // A client that hung up had its answer: containerd ends ranges that way.
  const isHit = event.status < 400 && (event.reason === 'complete' || event.reason === 'hangup');
  if (!isHit || part === undefined || part.peers.length === 0) return;
  state.lastSuccess = { atMs: wallMs(deps), image: part.image, from: part.peers };
}

function noteNode(state: State, deps: DebugViewDeps, event: NodeEvent): void {
  if (event.type === 'canary') {
    const { arrived, outcome, reason, tookUs } = event;
    state.canary = { arrived, outcome, reason, tookMs: tookUs / 1000, atMs: wallMs(deps) };
  } else if (event.type === 'advertised') {
    const { keys, digests, tags } = event;
    state.advertised = { keys, digests, tags };
  } else if (event.type === 'mode') state.mode = event.mode;
  else state.troubles.add(event, wallMs(deps));
}

type Facts = Pick<DebugSnapshot, 'node' | 'ready' | 'mode' | 'lastSuccess' | 'canary' | 'members'>;

function factsOf({ node, mode, lastSuccess, canary }: State, limits: Limits): Facts {
  const members = node?.membership.members() ?? [];
  const ranked = [...members].sort((a, b) => Number(b.connected) - Number(a.connected) || a.zone.localeCompare(b.zone));
  return {
    node:
      node === undefined
        ? null
        : { id: node.peerId, zone: node.membership.self.zone, registry: node.registryAddresses },
    ready: node === undefined ? { ready: false, reason: 'starting' } : node.readiness(),
    mode,
    lastSuccess,
    canary,
    members: {
      total: members.length,
      connected: members.filter(({ connected }) => connected).length,
      list: ranked.slice(0, limits.viewMembersMax).map(memberView),
    },
  };
}

function memberView({ id, kind, addresses, registryPort, zone, connected }: Member): MemberView {
  return { id, kind, address: addresses[0] ?? '', registryPort, zone, connected };
}

function savedOf({ saved, busy, upstream }: State): SavedView {
  const rate = upstream.measured();
  const busyMs = busy.totalUs() / 1000;
  const bytes = saved.peerBytes + saved.localBytes;
  return {
    ...saved,
    busyMs,
    upstream: rate ?? null,
    savedMs: rate === undefined ? null : (bytes / rate.bytesPerSecond) * 1000 - busyMs,
  };
}

/** Listed now and then: a store may hold thousands of blobs. A store that cannot be read has told so as a trouble. */
function imagesOf(state: State, { nowUs }: DebugViewDeps, limits: Limits): Promise<DebugSnapshot['images']> {
  const nothing = { total: 0, names: [] };
  const { node, images } = state;
  if (node === undefined) return Promise.resolve(nothing);
  if (images !== undefined && nowUs() - images.atUs < limits.viewImagesAgeUs) return images.listing;
  const listing = node.store.list(new AbortController().signal).then(
    ({ tags }) => ({
      total: tags.length,
      names: tags
        .map(({ reference }) => reference)
        .sort()
        .slice(0, limits.viewImagesMax),
    }),
    () => nothing,
  );
  state.images = { atUs: nowUs(), listing };
  return listing;
}
