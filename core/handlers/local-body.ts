import { openScope } from '../abort.ts';
import { errorCodeOf, PeiliError, reasonOf } from '../errors.ts';
import type { Body } from '../ports/index.ts';
import { localSourceId, peersSourceId } from '../ports/index.ts';
import { createContinuousBody } from '../relay/continuous-body.ts';
import type { Segment, SegmentPlan } from '../relay/continuous-body.ts';
import { formatContentRange, formatRange } from '../requests/range.ts';
import type { BlobRequest } from '../requests/request.ts';
import type { Exchange, Handler } from './handler.ts';
import type { LocalDeps } from './local.ts';

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
  const scope = openScope(exchange.signal);
  const first = await openLocal(deps, request.digest, part, scope.signal).catch((error: unknown) => {
    scope.close();
    if (errorCodeOf(error) === 'STORE_FAILED') deps.failures.remember(request.digest, localSourceId, part.start);
    throw error;
  });
  const held: { first: Segment | undefined } = { first };
  const plan: SegmentPlan = {
    open: async (offset, _failure, signal) => {
      const segment = held.first ?? (await openNext(exchange, request, next, { ...part, start: offset }, signal));
      held.first = undefined;
      return segment;
    },
    progressed: () => undefined,
    hasAlternative: () => false,
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
    start: part.start,
    end: part.end,
    plan,
    report: exchange.report,
    signal: scope.signal,
  });
}

async function openLocal(
  deps: LocalDeps,
  digest: string,
  { start, end }: LocalPart,
  signal: AbortSignal,
): Promise<Segment> {
  const body = await deps.store.open(digest, start, end, signal);
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
