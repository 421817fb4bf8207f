import { throwIfAborted, withDeadline } from '../abort.ts';
import { errorCodeOf, PeiliError, reasonOf } from '../errors.ts';
import type { ContentInfo } from '../ports/index.ts';
import { localSourceId } from '../ports/index.ts';
import { referenceOf } from '../requests/reference.ts';
import type { BlobRequest, ManifestRequest } from '../requests/request.ts';
import { selfCheckHeader } from '../verification/self-check-header.ts';
import type { DistributionResponse, Exchange, Handler } from './handler.ts';
import { localBody } from './local-body.ts';
import type { LocalDeps } from './local-deps.ts';
import { manifestMediaType } from './media-type.ts';
import { notFound } from './not-found.ts';
import { rangedResponse } from './ranged.ts';
import { readManifest } from './read-manifest.ts';
import { bytesBody } from './responses.ts';

/** Answers with what this node has. What it has not, or cannot read, is the next handler's; a read error in mid-body too. */
export function local(next: Handler, deps: LocalDeps): Handler {
  return async (exchange) => {
    const { request, signal } = exchange;
    if (request.resource === 'ping') return next(exchange);
    try {
      if (request.resource === 'manifest')
        return (await answerManifest(deps, exchange, request)) ?? (await next(exchange));
      if (request.selfCheck) return await answerSelfCheck(deps, exchange, request);
      return (await answerBlob(deps, exchange, request, next)) ?? (await next(exchange));
    } catch (error) {
      if (signal.aborted || errorCodeOf(error) === 'ABORTED') throw error;
      deps.observer.onNode({ type: 'store-failed', reason: reasonOf(error) });
      return next(exchange);
    }
  };
}

async function answerManifest(
  deps: LocalDeps,
  exchange: Exchange,
  request: ManifestRequest,
): Promise<DistributionResponse | undefined> {
  const { limits } = deps;
  const { report, signal } = exchange;
  const resolved = await resolve(deps, request, signal);
  if (resolved === undefined) return undefined;
  const { ageUs, digest } = resolved;
  const info = await presentInfo(deps, digest, signal);
  if (info === undefined || info.sizeBytes > limits.manifestMaxBytes) return undefined;
  const bytes = await readLocal(deps, info, signal);
  report.step({
    type: 'head',
    source: localSourceId,
    status: 200,
    sizeBytes: info.sizeBytes,
    tookUs: 0,
    ...(ageUs === undefined ? {} : { ageUs }),
  });
  deps.sizes.learn(bytes);
  const contentType = info.mediaType ?? manifestMediaType(bytes);
  return rangedResponse(request, { digest, sizeBytes: bytes.byteLength, contentType, ageUs }, (start, end) => {
    report.step({ type: 'bytes', source: localSourceId, from: start, to: end });
    return bytesBody(bytes.subarray(start, end));
  });
}

/** A manifest that is wrong on this disk is found out when it is read: it counts as checked. */
async function readLocal(deps: LocalDeps, info: ContentInfo, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return await inTime(deps, signal, async (inner) => {
      const body = await deps.store.open(info.digest, 0, info.sizeBytes, inner);
      return readManifest(deps.digester, body, info.digest, deps.limits.manifestMaxBytes);
    });
  } catch (error) {
    if (errorCodeOf(error) === 'DIGEST_MISMATCH') void deps.selfCheck.check(info.digest);
    throw error;
  }
}

async function resolve(
  deps: LocalDeps,
  request: ManifestRequest,
  signal: AbortSignal,
): Promise<{ digest: string; ageUs: number | undefined } | undefined> {
  if (request.digest !== undefined) return { digest: request.digest, ageUs: undefined };
  const reference = referenceOf(request);
  if (reference === undefined) return undefined;
  const tag = await inTime(deps, signal, (inner) => deps.store.resolve(reference, inner));
  if (tag === undefined) return undefined;
  const ageUs = Math.max(0, deps.clock.wallUs() - tag.resolvedAtUs);
  if (deps.tagMaxAgeUs !== undefined && ageUs > deps.tagMaxAgeUs) return undefined;
  return { digest: tag.digest, ageUs };
}

async function answerBlob(
  deps: LocalDeps,
  exchange: Exchange,
  request: BlobRequest,
  next: Handler,
): Promise<DistributionResponse | undefined> {
  const { digest } = request;
  const info = await presentInfo(deps, digest, exchange.signal);
  if (info === undefined) return undefined;
  if (
    !request.mirrored &&
    request.method === 'GET' &&
    deps.suspicion.suspects(digest, request.range).has(localSourceId)
  ) {
    if (!(await isProven(deps, exchange, digest))) return undefined;
  }
  const contentType = info.mediaType ?? 'application/octet-stream';
  return rangedResponse(request, { digest, sizeBytes: info.sizeBytes, contentType }, async (start, end) => {
    const { sizeBytes } = info;
    const body = await localBody(deps, exchange, request, next, { start, end, sizeBytes });
    exchange.report.step({ type: 'head', source: localSourceId, status: 200, sizeBytes, tookUs: 0 });
    return body;
  });
}

/** The own file's own proof, waited for as long as a peer's (contract L8). */
async function isProven(deps: LocalDeps, { report, signal }: Exchange, digest: string): Promise<boolean> {
  report.step({ type: 'suspect', source: localSourceId, proof: 'pending' });
  const result = await withinOr(deps, deps.limits.selfCheckWaitUs, signal, deps.selfCheck.check(digest));
  const proof = result === 'right' ? 'honest' : result === 'wrong' ? 'wrong' : 'none';
  report.step({ type: 'suspect', source: localSourceId, proof });
  return proof === 'honest';
}

async function answerSelfCheck(
  deps: LocalDeps,
  exchange: Exchange,
  request: BlobRequest,
): Promise<DistributionResponse> {
  const result = await withinOr(
    deps,
    deps.limits.selfCheckWaitUs,
    exchange.signal,
    deps.selfCheck.check(request.digest),
  );
  const info = result === 'right' ? await presentInfo(deps, request.digest, exchange.signal) : undefined;
  if (info === undefined) {
    const response = await notFound(exchange);
    return result === 'wrong'
      ? { ...response, headers: { ...response.headers, [selfCheckHeader]: 'wrong' } }
      : response;
  }
  const contentType = info.mediaType ?? 'application/octet-stream';
  const response = await rangedResponse(request, { digest: info.digest, sizeBytes: info.sizeBytes, contentType }, () =>
    bytesBody(new Uint8Array()),
  );
  return { ...response, headers: { ...response.headers, [selfCheckHeader]: 'right' } };
}

async function presentInfo(deps: LocalDeps, digest: string, signal: AbortSignal): Promise<ContentInfo | undefined> {
  return deps.selfCheck.isWrong(digest) ? undefined : inTime(deps, signal, (inner) => deps.store.info(digest, inner));
}

/** A store that does not answer is a store that failed: the client is not left waiting for it (contract L3). */
function inTime<T>(deps: LocalDeps, signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = (): PeiliError => new PeiliError('STORE_FAILED', 'the store did not answer in time');
  return withDeadline(deps.clock, deps.limits.stallTimeoutUs, signal, late, call);
}

/** The result, or undefined when it is not there in time; the work itself goes on. */
async function withinOr<T>(
  deps: Pick<LocalDeps, 'clock'>,
  timeoutUs: number,
  signal: AbortSignal,
  work: Promise<T>,
): Promise<T | undefined> {
  const late = (): PeiliError => new PeiliError('HEAD_TIMEOUT', 'no proof in time', { timeoutUs });
  try {
    return await withDeadline(deps.clock, timeoutUs, signal, late, () => work);
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}
