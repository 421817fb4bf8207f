import { openScope, settleOrAbort } from '../abort.ts';
import type { Scope } from '../abort.ts';
import { errorCodeOf, PeiliError } from '../errors.ts';
import type { DistributionResponse, Exchange } from '../handlers/handler.ts';
import { rangedResponse } from '../handlers/ranged.ts';
import { readManifest } from '../handlers/read-manifest.ts';
import { bytesBody } from '../handlers/responses.ts';
import type { PeerResponse } from '../ports/index.ts';
import { isDigest } from '../requests/grammar.ts';
import { keyOf, targetOf } from '../requests/reference.ts';
import type { ManifestRequest } from '../requests/request.ts';
import { ask, headWithin } from './ask.ts';
import { createLiveSources } from './live-sources.ts';
import type { LiveSources } from './live-sources.ts';
import type { RelayDeps } from './relay-deps.ts';
import { runRace } from './run-race.ts';
import type { Source } from './source-set.ts';

interface ManifestAnswer {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly ageUs: number | undefined;
  /** Absent for HEAD. */
  readonly bytes: Uint8Array | undefined;
}

/** Answers a manifest request from peers; undefined when nobody has it, or has it fresh enough. */
export async function relayManifest(
  deps: RelayDeps,
  { report, signal }: Exchange,
  request: ManifestRequest,
): Promise<DistributionResponse | undefined> {
  const scope = openScope(signal);
  const key = keyOf(request);
  try {
    const live = createLiveSources(deps, {
      key,
      suspects: new Set(),
      prove: () => Promise.resolve(false),
      report,
      signal: scope.signal,
    });
    const patience = openPatience(deps, request, live);
    const usable = (source: Source): boolean => isUsable(deps, request, key, source) && !patience.isWaiting();
    const { answer, source: winner } = await runRace(deps, {
      sources: live.set,
      candidates: (tried) => live.ordered((source) => !tried.has(source.id) && usable(source)),
      attempt: (source, hedge, attemptScope) => {
        report.step({ type: 'attempt', source: source.id, zone: source.member.zone, from: 0, hedge });
        return attempt(deps, request, source, attemptScope, { report, signal });
      },
      discard: () => undefined,
      attemptsMax: deps.limits.attemptsMax,
      signal: scope.signal,
    }).finally(patience.end);
    if (answer.bytes !== undefined) deps.sizes.learn(answer.bytes);
    const bytes = answer.bytes ?? new Uint8Array();
    return await rangedResponse(request, answer, (start, end) => {
      // What the client gets of it: all of it came, since a part cannot be checked.
      report.step({ type: 'bytes', source: winner.id, from: start, to: end });
      return bytesBody(bytes.subarray(start, end));
    });
  } catch (error) {
    if (errorCodeOf(error) === 'SOURCES_EXHAUSTED') return undefined;
    throw error;
  } finally {
    scope.abort();
    scope.close();
  }
}

/**
 * A tag may mean different things at different members, and the freshest answer wins: the lookup's answers are gathered for a moment before anybody is asked.
 * A digest means one thing: the first yes is as good as any.
 */
function openPatience(
  deps: RelayDeps,
  request: ManifestRequest,
  live: LiveSources,
): { isWaiting(): boolean; end(): void } {
  if (request.tag === undefined) return { isWaiting: () => false, end: () => undefined };
  const state = { over: false };
  const letGo = live.set.hold();
  const end = (): void => {
    state.over = true;
    timer.cancel();
    letGo();
  };
  const timer = deps.clock.schedule(deps.limits.lookupMissTimeoutUs, end);
  void live.lookedUp.then(end);
  return { isWaiting: () => !state.over, end };
}

function isUsable(deps: RelayDeps, request: ManifestRequest, key: string, source: Source): boolean {
  if (deps.failures.failedAt(key, source.id) !== undefined) return false;
  if (request.tag === undefined || deps.tagMaxAgeUs === undefined) return true;
  return source.tag !== undefined && source.tag.ageUs <= deps.tagMaxAgeUs;
}

async function attempt(
  deps: RelayDeps,
  request: ManifestRequest,
  source: Source,
  scope: Scope,
  { report }: Pick<Exchange, 'report' | 'signal'>,
): Promise<ManifestAnswer> {
  const { clock, limits } = deps;
  const startedUs = clock.nowUs();
  const timeoutUs = request.method === 'HEAD' ? limits.peerHeadTimeoutUs : limits.manifestTimeoutUs;
  const { method } = request;
  const peerRequest = { method, target: targetOf({ ...request, range: undefined }), headers: {} };
  const call = ask(deps, source, peerRequest, scope, report, async (response) => {
    const head = acceptManifestHead(deps, request, source, response);
    const tookUs = clock.nowUs() - startedUs;
    const age = head.ageUs === undefined ? {} : { ageUs: head.ageUs };
    report.step({
      type: 'head',
      source: source.id,
      status: response.status,
      sizeBytes: head.sizeBytes,
      tookUs,
      ...age,
    });
    if (method === 'HEAD') return head;
    const bytes = await readBody(deps, source, head, response, keyOf(request));
    return { ...head, sizeBytes: bytes.byteLength, bytes };
  });
  const code = method === 'HEAD' ? 'HEAD_TIMEOUT' : 'MANIFEST_TIMEOUT';
  return headWithin(deps, timeoutUs, scope, () => settleOrAbort(call, scope.signal), code);
}

async function readBody(
  deps: RelayDeps,
  source: Source,
  head: ManifestAnswer,
  response: PeerResponse,
  key: string,
): Promise<Uint8Array> {
  if (response.body === undefined) throw new PeiliError('PEER_REFUSED', 'the member answered without a body');
  try {
    return await readManifest(deps.digester, response.body, head.digest, deps.limits.manifestMaxBytes);
  } catch (error) {
    // Wrong bytes stay wrong for a while; a time-out says nothing about the next try.
    if (errorCodeOf(error) === 'DIGEST_MISMATCH' || errorCodeOf(error) === 'MANIFEST_TOO_LARGE') {
      deps.failures.remember(key, source.id, 0);
    }
    throw error;
  }
}

function acceptManifestHead(
  deps: RelayDeps,
  request: ManifestRequest,
  source: Source,
  { status, headers }: PeerResponse,
): ManifestAnswer {
  if (status === 404) throw new PeiliError('CONTENT_ABSENT', 'the member has it no longer', { status });
  if (status === 503 || status === 429) throw new PeiliError('OVERLOADED', 'the member is overloaded', { status });
  if (status !== 200) throw new PeiliError('PEER_REFUSED', 'the member answered with another status', { status });
  const digest = headers['docker-content-digest'] ?? request.digest ?? '';
  if (!isDigest(digest) || (request.digest !== undefined && digest !== request.digest)) {
    throw new PeiliError('PEER_REFUSED', 'the member answered with another digest', { digest });
  }
  const sizeBytes = lengthOf(headers['content-length'], deps.limits.manifestMaxBytes);
  const ageUs = request.tag === undefined ? undefined : ageOf(headers['age'], source);
  if (request.tag !== undefined && deps.tagMaxAgeUs !== undefined && (ageUs ?? Infinity) > deps.tagMaxAgeUs) {
    throw new PeiliError('PEER_REFUSED', 'the member resolved the tag too long ago', { ageUs: ageUs ?? -1 });
  }
  return {
    digest,
    sizeBytes,
    contentType: headers['content-type'] ?? 'application/octet-stream',
    ageUs,
    bytes: undefined,
  };
}

function lengthOf(header: string | undefined, maxBytes: number): number {
  if (header === undefined || !/^\d{1,15}$/.test(header))
    throw new PeiliError('PEER_REFUSED', 'the member gave no length');
  const length = Number(header);
  if (length > maxBytes)
    throw new PeiliError('MANIFEST_TOO_LARGE', 'more bytes than a manifest may have', { length, maxBytes });
  return length;
}

/** The answer's own word first; a member of another kind gives none, and then what its record said. */
function ageOf(header: string | undefined, source: Source): number | undefined {
  if (header !== undefined && /^\d{1,12}$/.test(header)) return Number(header) * 1_000_000;
  return source.tag?.ageUs;
}
