import { openScope } from '../abort.ts';
import type { Scope } from '../abort.ts';
import { errorCodeOf, PeiliError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { scheduleFair } from '../fair-timer.ts';
import type { PullReport } from '../handlers/pull-report.ts';
import type { Body, SourceId, Timer } from '../ports/index.ts';
import { formatRange } from '../requests/range.ts';
import { ask, headWithin } from './ask.ts';
import { acceptHead } from './continues.ts';
import type { AcceptedHead, PastEnd } from './continues.ts';
import type { Segment, SegmentPlan } from './continuous-body.ts';
import type { LiveSources } from './live-sources.ts';
import type { RelayDeps } from './relay-deps.ts';
import { runRace } from './run-race.ts';
import type { Attempt, RaceWinner } from './run-race.ts';
import type { Source } from './source-set.ts';
import { isTimeForNext, nextWindow } from './window.ts';

/** One window's answer: what it gives, and its bytes. */
export type BlobHead = (AcceptedHead & { readonly body: Body }) | PastEnd;

export interface BlobSegmentsInput {
  readonly digest: string;
  /** Path and query of the blob at a peer. */
  readonly target: string;
  readonly live: LiveSources;
  readonly report: PullReport;
  /** Of the whole body: everything below it ends with it. */
  readonly scope: Scope;
}

interface Ahead extends Attempt<BlobHead> {
  readonly start: number;
}

/** Windows of a blob from peers, one after the other, the next asked for before the last has ended. */
export class BlobSegments implements SegmentPlan {
  readonly #deps: RelayDeps;
  readonly #input: BlobSegmentsInput;
  #sizeBytes: number | undefined;
  #end = 0;
  #first: RaceWinner<BlobHead> | undefined;
  #source: Source | undefined;
  #ahead: Ahead | undefined;
  /** Attempts left for the byte at `#attemptsOffset`: heads alone do not renew them, or sources that never send it would be asked for ever. */
  #attemptsLeft: number;
  #attemptsOffset = -1;
  /** Where a source last let its time pass without a head. */
  readonly #silentAt = new Map<SourceId, number>();
  readonly #beganUs: number;

  constructor(deps: RelayDeps, input: BlobSegmentsInput) {
    this.#deps = deps;
    this.#input = input;
    this.#attemptsLeft = deps.limits.attemptsMax;
    this.#beganUs = deps.clock.nowUs();
  }

  /** The first good head for the window at `offset`; the source in use goes first, then the best. */
  async race(
    offset: number,
    end: number,
    sizeBytes: number | undefined,
    signal: AbortSignal,
    preferred?: Source,
  ): Promise<RaceWinner<BlobHead>> {
    const { failures } = this.#deps;
    const { digest, live } = this.#input;
    if (offset > this.#attemptsOffset) this.#attemptsLeft = this.#deps.limits.attemptsMax;
    this.#attemptsOffset = offset;
    const adopted = this.#takeAhead(offset);
    const late = adopted === undefined ? undefined : this.#headTimer(adopted.scope);
    const usable = (source: Source): boolean => (failures.failedAt(digest, source.id) ?? Infinity) > offset;
    try {
      return await runRace(this.#deps, {
        sources: live.set,
        candidates: (tried) =>
          preferredFirst(
            live.ordered((source) => !tried.has(source.id) && usable(source)),
            preferred,
          ),
        attempt: (source, hedge, scope) => {
          const timeoutUs = this.#deps.limits.blobHeadTimeoutUs;
          this.#attemptsLeft -= 1;
          return headWithin(this.#deps, timeoutUs, scope, () =>
            this.#attempt(source, offset, end, sizeBytes, hedge, scope),
          );
        },
        discard: discardHead,
        attemptsMax: this.#attemptsLeft,
        adopted,
        signal,
      });
    } finally {
      late?.cancel();
    }
  }

  /** The body begins with this answer, and ends before `end`. */
  begin(first: RaceWinner<BlobHead>, end: number): void {
    this.#first = first;
    this.#end = end;
    this.#sizeBytes = first.answer.sizeBytes;
  }

  async open(offset: number, failure: unknown, signal: AbortSignal): Promise<Segment> {
    const winner = this.#first ?? (await this.#next(offset, failure, signal));
    this.#first = undefined;
    const { answer, scope, source } = winner;
    if ('pastEnd' in answer) {
      scope.close();
      throw new PeiliError('SOURCES_EXHAUSTED', 'the content ended early at every source', { offset });
    }
    this.#source = source;
    this.#deps.probe.sometimes(
      'relay: only the last byte is resumed',
      failure !== undefined && offset === this.#end - 1,
    );
    const close = (): void => {
      scope.close();
    };
    return { source: source.id, start: answer.start, end: Math.min(answer.end, this.#end), body: answer.body, close };
  }

  progressed(segment: Segment, offset: number): void {
    if (this.#ahead !== undefined || this.#source === undefined) return;
    if (!isTimeForNext(offset, segment.end, this.#end, this.#deps.limits)) return;
    const source = this.#source;
    if ((this.#deps.failures.failedAt(this.#input.digest, source.id) ?? Infinity) <= segment.end) return;
    const scope = openScope(this.#input.scope.signal);
    const answer = this.#attempt(source, segment.end, this.#end, this.#sizeBytes, false, scope);
    answer.catch(() => undefined); // Looked at when the window is due; until then a failure must not go unhandled.
    this.#ahead = { source, scope, answer, start: segment.end };
  }

  /**
   * For another one whose time has not run out lately, and that was not as slow itself: two that crawl would be left for each other for ever. Without one whoever crawls is left all the same, once: the upstream, which nobody here knows anything
   * of, has its turn. A client that comes again has had nothing from it, and is given what there is.
   */
  leaves(segment: Segment, offset: number, bytesPerSecond: number): boolean {
    const { failures, limits, standing } = this.#deps;
    const { digest, live } = this.#input;
    live.renew();
    const others = live.ordered(
      (source) => source.id !== segment.source && (failures.failedAt(digest, source.id) ?? Infinity) > offset,
    );
    const isSlow = ({ id }: Source): boolean =>
      (standing.speedBytesPerSecond(id) ?? Infinity) < limits.minimumRateBytesPerSecond;
    if (others.some((source) => !standing.isDemoted(source.id) && !isSlow(source))) return true;
    const isCrawl = bytesPerSecond < limits.crawlRateBytesPerSecond;
    if (!isCrawl || !failures.crawled(digest, segment.source, offset, this.#beganUs)) return false;
    for (const { id } of others.filter(isSlow)) failures.crawled(digest, id, offset, this.#beganUs);
    return true;
  }

  failed(segment: Segment, offset: number, error: unknown): void {
    this.#deps.probe.reach('relay: a source failed in mid-body');
    const code = errorCodeOf(error);
    this.#deps.standing.failed(segment.source, code);
    // Slow is not broken: its measured speed puts it behind the others, and it stays the last resort.
    if (code !== 'PEER_SLOW') this.#deps.failures.remember(this.#input.digest, segment.source, offset);
    this.#input.live.renew();
  }

  measured(source: SourceId, bytes: number, waitedUs: number): void {
    this.#deps.standing.measured(source, bytes, waitedUs);
  }

  closed(): void {
    this.#dropAhead();
    const first = this.#first;
    if (first !== undefined) discardHead(first.answer);
    this.#input.scope.abort();
    this.#input.scope.close();
  }

  /**
   * Who comes next. The members that had the blob when the body began may all be gone by now: who else has it is looked up before it ends. And a holder that
   * is merely busy is asked again, as long as a stall would be borne: there is nobody better, and an end would cost the client more. After a stall that has been
   * borne already.
   */
  async #next(offset: number, failure: unknown, signal: AbortSignal): Promise<RaceWinner<BlobHead>> {
    const { clock, limits } = this.#deps;
    const untilUs = clock.nowUs() + (errorCodeOf(failure) === 'PEER_STALLED' ? 0 : limits.stallTimeoutUs);
    let preferred = failure === undefined ? this.#source : undefined;
    for (let looks = 0; ; looks += 1) {
      try {
        return await this.race(offset, this.#end, this.#sizeBytes, signal, preferred);
      } catch (error) {
        // Who was found and has failed here does not get better by being found again, for as long as slow lookups take.
        // A failure has had one look already.
        const isHopeless = (looks > 0 || failure !== undefined) && !this.#isAnybodyUsable(offset);
        const isOver = clock.nowUs() >= untilUs || this.#attemptsLeft <= 0 || isHopeless;
        if (errorCodeOf(error) !== 'SOURCES_EXHAUSTED' || isOver || !this.#input.live.renew()) {
          this.#rememberSilent(offset);
          this.#deps.probe.reach('relay: a body ends early, since nobody is left');
          throw error;
        }
        this.#deps.probe.reach('relay: a body that lost its sources looks for others');
        preferred = undefined;
      }
    }
  }

  #isAnybodyUsable(offset: number): boolean {
    const { digest, live } = this.#input;
    return live.set.all().some(({ id }) => (this.#deps.failures.failedAt(digest, id) ?? Infinity) > offset);
  }

  /** The client that is cut here comes again at this byte, at once, and would wait as long for them: for it too they have failed. */
  #rememberSilent(offset: number): void {
    for (const [id, at] of this.#silentAt) {
      if (at === offset) this.#deps.failures.remember(this.#input.digest, id, offset);
    }
  }

  async #attempt(
    source: Source,
    offset: number,
    end: number,
    sizeBytes: number | undefined,
    hedge: boolean,
    scope: Scope,
  ): Promise<BlobHead> {
    const { clock, failures, limits, probe } = this.#deps;
    const { digest, report, target } = this.#input;
    const startedUs = clock.nowUs();
    const windowBytes = probe.buggify('relay: a window of one byte') ? 1 : limits.windowBytes;
    const failedAt = failures.failedAt(digest, source.id);
    const window = nextWindow(offset, end, failedAt, windowBytes);
    report.step({ type: 'attempt', source: source.id, zone: source.member.zone, from: offset, hedge });
    const request = { method: 'GET', target, headers: { range: formatRange(window.start, window.end) } } as const;
    const call = ask(this.#deps, source, request, scope, report, async (response) => {
      // A manifest that was read meanwhile has said what nobody knew when this was asked.
      const knownBytes = sizeBytes ?? this.#deps.sizes.sizeBytes(digest);
      const head = acceptHead(response, { digest, window, sizeBytes: knownBytes, failedAt });
      const tookUs = clock.nowUs() - startedUs;
      report.step({ type: 'head', source: source.id, status: response.status, sizeBytes: head.sizeBytes, tookUs });
      if ('pastEnd' in head) {
        await response.body?.return();
        return head;
      }
      if (response.body === undefined) throw new PeiliError('PEER_REFUSED', 'the member answered without a body');
      probe.sometimes('relay: a hedge gave the head', hedge);
      return { ...head, body: response.body };
    });
    try {
      return await call;
    } catch (error) {
      if (isSilence(errorCodeOf(error))) this.#silentAt.set(source.id, window.start);
      throw error;
    }
  }

  /** An attempt made ahead has all the time of the window before it; from now on it is waited for. */
  #headTimer(scope: Scope): Timer {
    const { clock, limits } = this.#deps;
    return scheduleFair(clock, limits.blobHeadTimeoutUs, () => {
      scope.abort(new PeiliError('HEAD_TIMEOUT', 'no answer in time', { timeoutUs: limits.blobHeadTimeoutUs }));
    });
  }

  #takeAhead(offset: number): Ahead | undefined {
    const ahead = this.#ahead;
    if (ahead === undefined || ahead.start === offset) {
      this.#ahead = undefined;
      return ahead;
    }
    this.#dropAhead();
    return undefined;
  }

  #dropAhead(): void {
    const ahead = this.#ahead;
    if (ahead === undefined) return;
    this.#ahead = undefined;
    ahead.scope.abort();
    ahead.scope.close();
    ahead.answer.then(discardHead, () => undefined);
  }
}

function isSilence(code: ErrorCode | undefined): boolean {
  return code === 'HEAD_TIMEOUT' || code === 'DIAL_TIMEOUT';
}

function discardHead(head: BlobHead): void {
  if ('body' in head) void head.body.return();
}

function preferredFirst(sources: readonly Source[], preferred: Source | undefined): readonly Source[] {
  if (preferred === undefined) return sources;
  return [...sources.filter(({ id }) => id === preferred.id), ...sources.filter(({ id }) => id !== preferred.id)];
}
