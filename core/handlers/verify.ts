import { errorCodeOf } from '../errors.ts';
import type { Body, Digester, SourceId } from '../ports/index.ts';
import { localSourceId } from '../ports/index.ts';
import type { FailureMemory } from '../relay/failure-memory.ts';
import type { BlobRequest } from '../requests/request.ts';
import type { SelfCheck } from '../verification/self-check.ts';
import type { Suspicion } from '../verification/suspicion.ts';
import { createVerifyingBody } from '../verification/verifying-body.ts';
import type { DistributionResponse, Exchange, Handler } from './handler.ts';
import type { PullReport } from './pull-report.ts';
import { watchedBody } from './watched-body.ts';

/** `off`: never hash a blob. `suspect`: hash what is asked for again (default). `always`: hash every whole blob. */
export type BlobVerification = 'off' | 'suspect' | 'always';

export interface VerifyDeps {
  readonly digester: Digester;
  readonly suspicion: Suspicion;
  readonly failures: FailureMemory;
  readonly selfCheck: SelfCheck;
}

/** Sees which sources gave a body's bytes, remembers it for suspicion, and hashes the body where the policy says so (contract L8). */
export function verify(next: Handler, deps: VerifyDeps, policy: BlobVerification): Handler {
  return async (exchange) => {
    const { request } = exchange;
    if (policy === 'off' || request.resource !== 'blob' || request.method !== 'GET') return next(exchange);
    const suspected = deps.suspicion.suspects(request.digest, request.range).size > 0;
    const sources = new Set<SourceId>();
    const response = await next({ ...exchange, report: collectSources(exchange.report, sources) });
    if (response.body === undefined || response.status >= 300) return response;
    return watchBody(deps, exchange, request, response, response.body, sources, policy === 'always' || suspected);
  };
}

function collectSources(report: PullReport, sources: Set<SourceId>): PullReport {
  return {
    pullId: report.pullId,
    step: (step) => {
      if (step.type === 'bytes') sources.add(step.source);
      report.step(step);
    },
  };
}

function watchBody(
  deps: VerifyDeps,
  { report, signal }: Exchange,
  request: BlobRequest,
  response: DistributionResponse,
  inner: Body,
  sources: Set<SourceId>,
  hashing: boolean,
): DistributionResponse {
  const { digest } = request;
  const length = Number(response.headers['content-length']);
  const start = startOf(response);
  const delivered = (bytes: number): void => {
    deps.suspicion.delivered(digest, start, start + bytes, [...sources]);
  };
  const onMismatch = (): void => {
    delivered(length);
    const [only] = sources;
    if (sources.size !== 1 || only === undefined) return; // Nobody is named while more than one may be to blame.
    deps.failures.remember(digest, only, 0);
    report.step({ type: 'liar', source: only, digest });
    if (only === localSourceId) void deps.selfCheck.check(digest); // Which withdraws it.
  };
  const isHashed = hashing && response.status === 200;
  const input = { body: inner, digest, sizeBytes: length, onMismatch, signal };
  const verified = isHashed ? createVerifyingBody(deps.digester, input) : inner;
  const progress = { bytes: 0 };
  const body = watchedBody(verified, {
    onStep: ({ done, value }) => {
      if (done === true) return;
      progress.bytes += value.byteLength;
      if (progress.bytes === length) delivered(length);
    },
    onFailure: (error) => {
      // A body that we cut is taken up elsewhere, and counts as delivered so far; one that the client left does not.
      const code = errorCodeOf(error);
      if (code !== 'ABORTED' && code !== 'DIGEST_MISMATCH') delivered(progress.bytes);
    },
  });
  return { ...response, body };
}

/** The offset of the first byte of a 200 or 206. */
function startOf(response: DistributionResponse): number {
  return response.status === 206 ? Number(/^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1] ?? 0) : 0;
}
