import { openScope, settleOrAbort } from '../abort.ts';
import type { Scope } from '../abort.ts';
import { errorCodeOf, PeiliError, reasonOf } from '../errors.ts';
import type { Body } from '../ports/index.ts';
import { localSourceId, peersSourceId } from '../ports/index.ts';
import { createContinuousBody } from '../relay/continuous-body.ts';
import type { Segment, SegmentPlan } from '../relay/continuous-body.ts';
import { formatContentRange, formatRange } from '../requests/range.ts';
import type { BlobRequest } from '../requests/request.ts';
import type { Exchange, Handler } from './handler.ts';
import type { LocalDeps } from './local-deps.ts';

export interface LocalPart {
  readonly start: number;
  readonly end: number;
  readonly sizeBytes: number;
}

/**
 * The node's own file as source 0: when it cannot be read further, the next handler gives the rest, as if the client had asked it for that range.
 * Rejects when the file cannot be opened: then the next handler has the whole request.
 */
export async function localBody(
  deps: LocalDeps,
  exchange: Exchange,
  request: BlobRequest,
  next: Handler,
  part: LocalPart,
): Promise<Body> {
  const { start } = part;
  // What failed lately is not tried again: the next handler gives the bytes from there on.
  const end = Math.min(part.end, deps.failures.failedAt(request.digest, localSourceId) ?? Infinity);
  if (end <= start && start < part.end)
    throw new PeiliError('STORE_FAILED', 'this file could not be read here a moment ago', { start });
  const scope = openScope(exchange.signal);
  const first = await openLocal(deps, request.digest, { start, end }, scope).catch((error: unknown) => {
    scope.abort();
    scope.close();
    if (errorCodeOf(error) === 'STORE_FAILED') deps.failures.remember(request.digest, localSourceId, start);
    throw error;
  });
  const held: { first: Segment | undefined; askedNext: boolean } = { first, askedNext: false };
  const plan: SegmentPlan = {
    open: async (offset, failure, signal) => {
      const segment = held.first;
      held.first = undefined;
      if (segment !== undefined) return segment;
      if (held.askedNext) throw failure; // Who gives the rest has tried everything already.
      held.askedNext = true;
      return openNext(exchange, request, next, { ...part, start: offset }, signal);
    },
    progressed: () => undefined,
    leaves: () => false,
    failed: (segment, offset, error) => {
      if (segment.source !== localSourceId) return;
      deps.failures.remember(request.digest, localSourceId, offset);
      deps.observer.onNode({ type: 'store-failed', reason: reasonOf(error) });
    },
    measured: () => undefined,
    closed: () => {
      void held.first?.body.return();
      scope.abort();
      scope.close();
    },
  };
  return createContinuousBody(deps, {
    start,
    end: part.end,
    plan,
    report: exchange.report,
    signal: scope.signal,
  });
}

async function openLocal(
  deps: LocalDeps,
  digest: string,
  { start, end }: Pick<LocalPart, 'start' | 'end'>,
  scope: Scope,
): Promise<Segment> {
  const timer = deps.clock.schedule(deps.limits.stallTimeoutUs, () => {
    scope.abort(new PeiliError('STORE_FAILED', 'the store did not open the file in time'));
  });
  const body = await settleOrAbort(deps.store.open(digest, start, end, scope.signal), scope.signal).finally(() => {
    timer.cancel();
  });
  return { source: localSourceId, start, end, body, close: () => undefined };
}

/** The rest, from the next handler: it must continue this very content. Its own events tell who gave the bytes. */
async function openNext(
  exchange: Exchange,
  request: BlobRequest,
  next: Handler,
  part: LocalPart,
  signal: AbortSignal,
): Promise<Segment> {
  const range = formatRange(part.start, part.end);
  const { status, headers, body } = await next({ ...exchange, signal, request: { ...request, range } });
  const wanted = formatContentRange({ type: 'part', ...part });
  if (status === 206 && headers['content-range'] === wanted && body !== undefined) {
    return { source: peersSourceId, selfReliant: true, start: part.start, end: part.end, body, close: () => undefined };
  }
  await body?.return();
  throw new PeiliError('SOURCES_EXHAUSTED', 'the file cannot be read further and no peer has it', {
    at: part.start,
    status,
  });
}
