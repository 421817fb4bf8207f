import { abortedError, openScope } from '../abort.ts';
import type { Scope } from '../abort.ts';
import { errorCodeOf, PeiliError, reasonOf } from '../errors.ts';
import { scheduleFair } from '../fair-timer.ts';
import type { PullReport } from '../handlers/pull-report.ts';
import type { Limits } from '../limits.ts';
import type { Body, Chunk, Clock, SourceId, Timer } from '../ports/index.ts';
import { judgeStall, receive, startFlow, waitFor } from './stall.ts';
import type { FlowState } from './stall.ts';

/** The bytes [start, end) of a body, from one source. */
export interface Segment {
  readonly source: SourceId;
  readonly start: number;
  readonly end: number;
  readonly body: Body;
  /** The body is itself a continuous one: it watches its sources and tells its own story. */
  readonly selfReliant?: true;
  /** Lets go of what stands behind the body; called once, after the body has ended. */
  close(): void;
}

/** Where a body's bytes come from. */
export interface SegmentPlan {
  /**
   * The bytes from `offset` on, from whoever is best now; `segment.start` is `offset` exactly. Rejects when nobody is left, which must be after
   * a bounded number of calls for one offset: it is called until it does.
   * @param failure why the last segment ended early; undefined at the start and after one that ended cleanly.
   */
  open(offset: number, failure: unknown, signal: AbortSignal): Promise<Segment>;
  /** After each chunk: the moment to ask ahead. */
  progressed(segment: Segment, offset: number): void;
  /** Whether a source as slow as this is left: for another one, or so that the client can go elsewhere. */
  leaves(segment: Segment, offset: number, bytesPerSecond: number): boolean;
  /** A source failed at this offset. */
  failed(segment: Segment, offset: number, error: unknown): void;
  /** A source's run ended: what came while it was waited for. */
  measured(source: SourceId, bytes: number, waitedUs: number): void;
  /** The body has ended, one way or the other. */
  closed(): void;
}

export interface ContinuousBodyInput {
  readonly start: number;
  readonly end: number;
  readonly plan: SegmentPlan;
  readonly report: PullReport;
  readonly signal: AbortSignal;
}

/**
 * A body that survives its sources: when one fails, stalls or is too slow, the next byte comes from another (contract L1, L3).
 * Ends cleanly after exactly end - start bytes; rejects when nobody is left (the transport then ends the connection with FIN).
 */
export function createContinuousBody(deps: { clock: Clock; limits: Limits }, input: ContinuousBodyInput): Body {
  return new ContinuousBody(deps, input);
}

class ContinuousBody implements Body {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #input: ContinuousBodyInput;
  readonly #scope: Scope;
  #offset: number;
  #segment: Segment | undefined;
  #flow: FlowState = startFlow;
  #lastFailure: unknown;
  /** Who gave the bytes from `#runStart` on, and whether that is ours to tell. */
  #runSource: SourceId | undefined;
  #runIsTold = false;
  #runStart: number;
  #deadline: Timer | undefined;
  #stalled: PeiliError | undefined;
  #ended = false;

  constructor(deps: { clock: Clock; limits: Limits }, input: ContinuousBodyInput) {
    this.#clock = deps.clock;
    this.#limits = deps.limits;
    this.#input = input;
    this.#scope = openScope(input.signal);
    this.#offset = input.start;
    this.#runStart = input.start;
    if (this.#scope.signal.aborted) void this.return();
    else this.#scope.onAbort = () => void this.return();
  }

  next(): Promise<IteratorResult<Chunk, undefined>> {
    if (this.#offset >= this.#input.end) return this.return();
    // An end that came early never looks like a clean one.
    return this.#ended ? Promise.reject(abortedError()) : this.#read();
  }

  async return(): Promise<IteratorResult<Chunk, undefined>> {
    if (!this.#ended) {
      this.#ended = true;
      this.#endRun();
      this.#deadline?.cancel();
      this.#scope.onAbort = undefined;
      this.#scope.abort();
      this.#scope.close();
      const segment = this.#segment;
      this.#segment = undefined;
      if (segment !== undefined) await release(segment);
      this.#input.plan.closed();
    }
    return { done: true, value: undefined };
  }

  /** One function under way for each chunk, whatever becomes of it: all bytes come through here. */
  async #read(): Promise<IteratorResult<Chunk, undefined>> {
    try {
      for (;;) {
        const segment = this.#segment ?? (await this.#openNext());
        if (this.#ended) throw abortedError();
        try {
          if (this.#offset !== segment.end) {
            this.#flow = waitFor(this.#flow, this.#clock.nowUs());
            if (segment.selfReliant !== true) this.#watch();
            const value = this.#take(segment, await segment.body.next());
            // Told before the last chunk leaves: who looks at the events then knows all sources of the body.
            if (this.#offset === this.#input.end) this.#endRun();
            return { done: false, value };
          }
          await this.#leave(segment);
        } catch (error) {
          if (this.#ended || this.#scope.signal.aborted) throw abortedError();
          await this.#fail(segment, this.#stalled ?? error);
        }
      }
    } catch (error) {
      const cancelled = this.#scope.signal.aborted; // Before return(), which aborts it itself.
      await this.return();
      throw cancelled ? abortedError() : error;
    }
  }

  #take(segment: Segment, result: IteratorResult<Chunk, undefined>): Chunk {
    if (result.done === true)
      throw new PeiliError('PEER_CLOSED', 'the body ended before all its bytes', { at: this.#offset });
    const rest = segment.end - this.#offset;
    const chunk = result.value.byteLength > rest ? result.value.subarray(0, rest) : result.value;
    const { state, slowBytesPerSecond } = receive(this.#flow, this.#clock.nowUs(), chunk.byteLength, this.#limits);
    this.#flow = state;
    this.#offset += chunk.byteLength;
    const { plan } = this.#input;
    if (slowBytesPerSecond !== undefined && plan.leaves(segment, this.#offset, slowBytesPerSecond))
      this.#leaveSlow(segment);
    else plan.progressed(segment, this.#offset);
    return chunk;
  }

  /** One re-armed deadline for the whole body: it looks when it fires, nothing is done per chunk. */
  #watch(): void {
    if (this.#deadline !== undefined) return;
    const look = (inUs: number): void => {
      this.#deadline = scheduleFair(this.#clock, inUs, () => {
        this.#deadline = undefined;
        const segment = this.#segment;
        if (segment !== undefined && segment.selfReliant !== true) this.#judge(segment, look);
      });
    };
    look(this.#limits.stallTimeoutUs);
  }

  #judge(segment: Segment, look: (inUs: number) => void): void {
    const verdict = judgeStall(this.#flow, this.#clock.nowUs(), this.#limits);
    if (verdict.type === 'look-again') look(verdict.inUs);
    if (verdict.type !== 'stalled') return; // Idle: the next read arms it again.
    this.#stalled = new PeiliError('PEER_STALLED', 'no byte came for too long', { waitedUs: verdict.waitedUs });
    this.#input.report.step({ type: 'stall', source: segment.source, at: this.#offset, waitedUs: verdict.waitedUs });
    void segment.body.return();
  }

  async #openNext(): Promise<Segment> {
    const segment = await this.#input.plan.open(this.#offset, this.#lastFailure, this.#scope.signal);
    if (this.#ended) {
      await release(segment);
      throw abortedError();
    }
    this.#segment = segment;
    if (segment.source !== this.#runSource) this.#changeRun(segment);
    else if (this.#lastFailure !== undefined) {
      this.#input.report.step({ type: 'resume', source: segment.source, at: this.#offset });
    }
    this.#lastFailure = undefined;
    return segment;
  }

  #changeRun(segment: Segment): void {
    const from = this.#runSource;
    this.#endRun();
    if (from !== undefined) {
      const reason = this.#lastFailure === undefined ? 'next window' : reasonOf(this.#lastFailure);
      this.#input.report.step({ type: 'switch', from, to: segment.source, at: this.#offset, reason });
      this.#input.report.step({ type: 'resume', source: segment.source, at: this.#offset });
    }
    this.#flow = startFlow;
    this.#runSource = segment.source;
    this.#runIsTold = segment.selfReliant === true;
    this.#runStart = this.#offset;
  }

  #endRun(): void {
    const source = this.#runSource;
    if (source === undefined || this.#runIsTold || this.#offset === this.#runStart) return;
    this.#input.report.step({ type: 'bytes', source, from: this.#runStart, to: this.#offset });
    this.#input.plan.measured(source, this.#flow.bytes, this.#flow.waitedUs);
    this.#runStart = this.#offset;
  }

  async #fail(segment: Segment, error: unknown): Promise<void> {
    this.#lastFailure = error;
    this.#stalled = undefined;
    this.#endRun(); // What was measured counts when the next source is chosen.
    this.#flow = startFlow;
    this.#input.report.step({
      type: 'attempt-failed',
      source: segment.source,
      reason: errorCodeOf(error) ?? reasonOf(error),
      tookUs: 0,
    });
    this.#input.plan.failed(segment, this.#offset, error);
    await this.#leave(segment);
  }

  /** The chunk just read is still borrowed: the segment is released by the next read, not now. */
  #leaveSlow(segment: Segment): void {
    const slow = new PeiliError('PEER_SLOW', 'below the minimum rate', { at: this.#offset });
    this.#segment = { ...segment, body: failingBody(segment.body, slow) };
  }

  async #leave(segment: Segment): Promise<void> {
    this.#segment = undefined;
    await release(segment);
  }
}

async function release(segment: Segment): Promise<void> {
  await segment.body.return();
  segment.close();
}

function failingBody(body: Body, error: PeiliError): Body {
  return { next: () => Promise.reject(error), return: () => body.return() };
}
