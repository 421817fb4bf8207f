import { openScope, settleOrAbort } from '../abort.ts';
import type { Scope } from '../abort.ts';
import { errorCodeOf, PeiliError } from '../errors.ts';
import type { DistributionResponse, Exchange } from '../handlers/handler.ts';
import { rangedResponse, unsatisfiable } from '../handlers/ranged.ts';
import { bytesBody } from '../handlers/responses.ts';
import type { Body } from '../ports/index.ts';
import { parseRange } from '../requests/range.ts';
import type { RangeSpec } from '../requests/range.ts';
import { targetOf } from '../requests/reference.ts';
import type { BlobRequest } from '../requests/request.ts';
import { ask, headWithin } from './ask.ts';
import { BlobSegments } from './blob-segments.ts';
import { acceptHead } from './continues.ts';
import { createContinuousBody } from './continuous-body.ts';
import { createLiveSources } from './live-sources.ts';
import type { LiveSources } from './live-sources.ts';
import { proveSource } from './prove.ts';
import type { RelayDeps } from './relay-deps.ts';
import { runRace } from './run-race.ts';
import type { RaceWinner } from './run-race.ts';

/** Answers a blob request from peers; undefined when nobody has it. */
export async function relayBlob(
  deps: RelayDeps,
  exchange: Exchange,
  request: BlobRequest,
): Promise<DistributionResponse | undefined> {
  const scope = openScope(exchange.signal);
  const relay = new BlobRelay(deps, exchange, request, scope);
  try {
    const response = await (request.method === 'HEAD' ? relay.head() : relay.get());
    const flows = response.status < 300 && response.body !== undefined;
    if (!flows) end(scope);
    return response;
  } catch (error) {
    end(scope);
    if (errorCodeOf(error) === 'SOURCES_EXHAUSTED') return undefined;
    throw error;
  }
}

/** The lookup that still gathers holders, attempts that lost: all of it. */
function end(scope: Scope): void {
  scope.abort();
  scope.close();
}

class BlobRelay {
  readonly #deps: RelayDeps;
  readonly #exchange: Exchange;
  readonly #request: BlobRequest;
  readonly #scope: Scope;
  readonly #live: LiveSources;

  constructor(deps: RelayDeps, exchange: Exchange, request: BlobRequest, scope: Scope) {
    this.#deps = deps;
    this.#exchange = exchange;
    this.#request = request;
    this.#scope = scope;
    this.#live = createLiveSources(deps, {
      key: request.digest,
      suspects: request.method === 'HEAD' ? new Set() : deps.suspicion.suspects(request.digest, request.range),
      prove: (source) => proveSource(deps, request, source, exchange.report, scope.signal),
      report: exchange.report,
      signal: scope.signal,
    });
  }

  async head(): Promise<DistributionResponse> {
    const { answer } = await this.#size();
    return this.#respond(answer, () => {
      throw new Error('relay: a body for HEAD');
    });
  }

  async get(): Promise<DistributionResponse> {
    const spec = parseRange(this.#request.range);
    const known = this.#deps.sizes.sizeBytes(this.#request.digest);
    if (meansNothing(spec)) return unsatisfiable(this.#request, (await this.#size()).answer.sizeBytes);
    // A suffix says nothing about where it begins: without a size somebody who has the blob is asked for it first.
    const needsSize = spec.type === 'suffix' && known === undefined;
    const sizeBytes = needsSize ? (await this.#size()).answer.sizeBytes : known;
    const { start, end } = reachOf(spec, sizeBytes);

    const segments = new BlobSegments(this.#deps, {
      digest: this.#request.digest,
      target: targetOf({ ...this.#request, range: undefined }),
      live: this.#live,
      report: this.#exchange.report,
      scope: this.#scope,
    });
    const first = await segments.race(start, end, sizeBytes, this.#scope.signal);
    if ('pastEnd' in first.answer) return this.#past(first.answer.sizeBytes);
    return this.#respond(first.answer, (from, to) => {
      segments.begin(first, to);
      return this.#flow(segments, from, to);
    });
  }

  #flow(segments: BlobSegments, start: number, end: number): Body {
    const { report } = this.#exchange;
    return createContinuousBody(this.#deps, { start, end, plan: segments, report, signal: this.#scope.signal });
  }

  /** The source says that the content ends before the range begins; only of empty content may the whole have been meant. */
  #past(sizeBytes: number): DistributionResponse | Promise<DistributionResponse> {
    end(this.#scope);
    if (sizeBytes > 0) return unsatisfiable(this.#request, sizeBytes);
    return this.#respond({ sizeBytes, contentType: undefined }, () => bytesBody(new Uint8Array()));
  }

  #respond(
    head: { sizeBytes: number; contentType: string | undefined },
    open: (start: number, end: number) => Body,
  ): Promise<DistributionResponse> {
    const { digest } = this.#request;
    const contentType = head.contentType ?? 'application/octet-stream';
    return rangedResponse(this.#request, { digest, sizeBytes: head.sizeBytes, contentType }, open);
  }

  /** Asks for the size alone: HEAD, and what a suffix range needs first. */
  #size(): Promise<RaceWinner<{ sizeBytes: number; contentType: string | undefined }>> {
    const { clock, failures, limits, sizes } = this.#deps;
    const { digest } = this.#request;
    const target = targetOf({ ...this.#request, range: undefined });
    return runRace(this.#deps, {
      sources: this.#live.set,
      candidates: (tried) =>
        this.#live.ordered((source) => !tried.has(source.id) && failures.failedAt(digest, source.id) !== 0),
      attempt: (source, hedge, scope) => {
        const startedUs = clock.nowUs();
        this.#exchange.report.step({ type: 'attempt', source: source.id, zone: source.member.zone, from: 0, hedge });
        const request = { method: 'HEAD', target, headers: {} } as const;
        const call = ask(this.#deps, source, request, scope, this.#exchange.report, (response) => {
          const window = { start: 0, end: Infinity };
          const head = acceptHead(response, {
            digest,
            window,
            sizeBytes: sizes.sizeBytes(digest),
            failedAt: undefined,
          });
          const { status } = response;
          const tookUs = clock.nowUs() - startedUs;
          this.#exchange.report.step({ type: 'head', source: source.id, status, sizeBytes: head.sizeBytes, tookUs });
          if ('pastEnd' in head) throw new PeiliError('PEER_REFUSED', '416 without a range');
          return head;
        });
        return headWithin(this.#deps, limits.peerHeadTimeoutUs, scope, () => settleOrAbort(call, scope.signal));
      },
      discard: () => undefined,
      attemptsMax: limits.attemptsMax,
      signal: this.#scope.signal,
    });
  }
}

/** A range that no content satisfies: the last no bytes, or bytes from where no offsets can be reckoned any more. */
function meansNothing(spec: RangeSpec): boolean {
  return (spec.type === 'suffix' && spec.length === 0) || (spec.type === 'from' && spec.first >= farthest);
}

/** Content is smaller than 4 PiB: offsets and windows beyond it would leave the integers. */
const farthest = 2 ** 52;

/** The bytes that the first windows are cut from, before a head has said how many there are. Never empty: even of no bytes a source is asked for one. */
function reachOf(spec: RangeSpec, sizeBytes: number | undefined): { start: number; end: number } {
  switch (spec.type) {
    case 'none':
      return { start: 0, end: Math.max(1, sizeBytes ?? Infinity) };
    case 'from':
      return {
        start: spec.first,
        end: Math.max(spec.first + 1, Math.min(spec.last ?? Infinity, (sizeBytes ?? Infinity) - 1) + 1),
      };
    case 'suffix':
      return { start: Math.max(0, (sizeBytes ?? 0) - spec.length), end: Math.max(1, sizeBytes ?? Infinity) };
  }
}
