import { errorCodeOf } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { createCanary } from '../canary/canary.ts';
import { createRegistryFilter } from '../filters/registry-filter.ts';
import type { RegistryFilter } from '../filters/registry-filter.ts';
import { createAnswer } from '../handlers/answer.ts';
import type { DistributionResponse } from '../handlers/handler.ts';
import { limitUploads } from '../handlers/limit-uploads.ts';
import type { RequestText } from '../handlers/mirror.ts';
import { createPullReports } from '../handlers/pull-report.ts';
import { createStacks } from '../handlers/stacks.ts';
import type { BlobVerification } from '../handlers/verify.ts';
import { limitsWith } from '../limits.ts';
import type { Limits } from '../limits.ts';
import { silentProbe } from '../ports/index.ts';
import type { MirrorMode, NodeEvent, Observer, Probe, PullEvent } from '../ports/index.ts';
import { createFailureMemory } from '../relay/failure-memory.ts';
import { createSizeMemory } from '../relay/size-memory.ts';
import { createStanding } from '../relay/standing.ts';
import { createSelfCheck } from '../verification/self-check.ts';
import { createSuspicion } from '../verification/suspicion.ts';
import type { TestBlob } from './blob.ts';
import { createCountedSignal } from './counted-signal.ts';
import type { CountedSignal } from './counted-signal.ts';
import { bytesOf, createCryptoDigester } from './crypto-digester.ts';
import { createFaultyStore } from './faulty-store.ts';
import { createScriptedLookup } from './scripted-lookup.ts';
import { createScriptedPeers, scriptedMember } from './scripted-peers.ts';
import type { MemberTraits, PeerScript } from './scripted-peers.ts';
import { createSeededRandom } from './seeded-random.ts';
import { createVirtualClock } from './virtual-clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface TestNodeOptions {
  readonly blobVerification?: BlobVerification;
  readonly filter?: RegistryFilter;
  /** @default on */
  readonly mode?: () => MirrorMode;
  readonly limits?: Partial<Limits>;
  readonly tagMaxAgeUs?: number;
  readonly zone?: string;
  readonly seed?: number;
  /** A hash of a chunk takes so long, microseconds. */
  readonly hashUs?: number;
  readonly clock?: VirtualClock;
  readonly probe?: Probe;
}

export interface HolderScript extends PeerScript {
  readonly member?: MemberTraits;
}

/** What a client saw of one request. */
export interface Outcome {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  /** `clean`: the body ended as promised; an error code: how it ended instead; `hung-up`: the client went. */
  readonly end: 'clean' | 'hung-up' | ErrorCode;
  readonly headUs: number;
  readonly tookUs: number;
}

export interface ClientHabits {
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Record<string, string>;
  readonly range?: string;
  readonly mirrored?: boolean;
  /** Time that the client takes over each chunk. */
  readonly chunkUs?: number;
  /** Hangs up after so many bytes. */
  readonly hangUpAfterBytes?: number;
  readonly client?: CountedSignal;
}

/** Windows of 64 bytes, so that a test's blob of some hundred has all the edges of one of terabytes. */
export const smallWindows: Partial<Limits> = { windowBytes: 64, windowLeadBytes: 16 };

export type TestNode = ReturnType<typeof createTestNode>;

/** The ports by script and the node's memory over them. */
function createParts(options: TestNodeOptions) {
  const clock = options.clock ?? createVirtualClock();
  const limits = limitsWith({ ...smallWindows, ...options.limits });
  const pulls: PullEvent[] = [];
  const nodeEvents: NodeEvent[] = [];
  const observer: Observer = {
    onPull: (event) => void pulls.push(event),
    onNode: (event) => void nodeEvents.push(event),
  };
  const { hashUs } = options;
  const digester = createCryptoDigester(
    hashUs === undefined ? undefined : () => new Promise((resolve) => void clock.schedule(hashUs, resolve)),
  );
  const store = createFaultyStore(clock);
  const peers = createScriptedPeers(clock);
  const lookup = createScriptedLookup(clock);
  const withdrawn: string[] = [];
  const selfCheck = createSelfCheck(
    { clock, store, digester, observer },
    limits,
    (digest) => void withdrawn.push(digest),
  );
  return {
    pulls,
    nodeEvents,
    withdrawn,
    clock,
    limits,
    random: createSeededRandom(options.seed ?? 1),
    digester,
    store,
    observer,
    peers,
    lookup,
    failures: createFailureMemory(clock, limits),
    sizes: createSizeMemory(limits),
    standing: createStanding(clock, limits),
    suspicion: createSuspicion(clock, limits),
    selfCheck,
    probe: options.probe ?? silentProbe,
    zone: options.zone ?? '',
    tagMaxAgeUs: options.tagMaxAgeUs,
  };
}

/** A node's handlers as in production, over a store, peers and a lookup by script, in virtual time. */
export function createTestNode(options: TestNodeOptions = {}) {
  const deps = createParts(options);
  const { clock, digester, limits, lookup, observer, peers, store } = deps;
  const uploads = limitUploads(limits.uploadsMax);
  const stacks = createStacks(deps, {
    canary: createCanary(digester, limits),
    filter: options.filter ?? createRegistryFilter(),
    mode: options.mode ?? (() => 'on'),
    uploads,
    blobVerification: options.blobVerification ?? 'suspect',
  });
  const answer = createAnswer(clock, stacks, createPullReports(clock, observer));
  const clients = new Set<CountedSignal>();

  /** Says who holds everything, in this order. */
  const holders = (scripts: Record<string, HolderScript>, tookUs?: number): void => {
    for (const [id, script] of Object.entries(scripts)) peers.script(id, script);
    lookup.set(
      Object.entries(scripts).map(([id, script]) => ({ member: scriptedMember(id, script.member) })),
      tookUs,
    );
  };

  const request = (target: string, habits: ClientHabits = {}): Promise<Outcome> => {
    const client = habits.client ?? createCountedSignal();
    clients.add(client);
    const input: RequestText = {
      method: habits.method ?? 'GET',
      target,
      headers: {
        ...habits.headers,
        ...(habits.range === undefined ? {} : { range: habits.range }),
        ...(habits.mirrored === true ? { 'x-spegel-mirrored': 'true' } : {}),
      },
    };
    return readAnswer(clock, () => answer(input, client.signal), habits);
  };
  const get = (blob: TestBlob, habits: ClientHabits = {}): Promise<Outcome> =>
    clock.settle(request(blobTarget(blob), habits));

  /** What is left when everything is over: all zero. */
  const leftovers = (): Record<string, number> => ({
    timers: clock.pending(),
    peerBodies: peers.open(),
    storeBodies: store.openBodies(),
    hashes: digester.open(),
    lookups: lookup.pending(),
    listeners: [...clients].reduce((sum, client) => sum + client.listeners(), 0),
    uploads: uploads.taken(),
  });

  return { ...deps, answer, get, holders, leftovers, request, uploads };
}

export function blobTarget(blob: TestBlob): string {
  return `/v2/library/app/blobs/${blob.digest}?ns=docker.io`;
}

async function readAnswer(
  clock: VirtualClock,
  ask: () => Promise<DistributionResponse>,
  habits: ClientHabits,
): Promise<Outcome> {
  const startedUs = clock.nowUs();
  const chunks: Uint8Array[] = [];
  let head: { status: number; headers: Readonly<Record<string, string>>; headUs: number } = {
    status: 0,
    headers: {},
    headUs: 0,
  };
  const outcome = (end: Outcome['end']): Outcome => ({
    ...head,
    bytes: concat(chunks),
    end,
    tookUs: clock.nowUs() - startedUs,
  });
  try {
    const { body, headers, status } = await ask();
    head = { status, headers, headUs: clock.nowUs() - startedUs };
    let length = 0;
    for (;;) {
      if (length >= (habits.hangUpAfterBytes ?? Infinity)) {
        await body?.return();
        return outcome('hung-up');
      }
      const result = await body?.next();
      if (result === undefined || result.done === true) return outcome('clean');
      chunks.push(bytesOf(result.value).slice());
      length += result.value.byteLength;
      const { chunkUs } = habits;
      if (chunkUs !== undefined) await new Promise<void>((resolve) => void clock.schedule(chunkUs, resolve));
    }
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === undefined) throw error;
    return outcome(code === 'ABORTED' ? 'hung-up' : code);
  }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
