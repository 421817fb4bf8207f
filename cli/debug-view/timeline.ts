import type { Limits, PullEnd, PullEvent, PullStep, SourceId } from '../../core/index.ts';
import type { ObjectView, RunView, SourceBytes, StepView } from './snapshot.ts';

export type TimelineBounds = Pick<Limits, 'viewStepsMax'>;

/** One manifest or blob of an image: what its requests told, in one story. Times are kept monotonic, and shown since a beginning. */
export interface Timeline {
  readonly lastUs: number;
  readonly isOpen: boolean;
  readonly bytes: number;
  readonly sources: ReadonlyMap<SourceId, number>;
  add(event: PullEvent): void;
  /** It came from elsewhere in the end. */
  arrived(sizeBytes: number, atUs: number, tookUs: number): void;
  view(beginningUs: number): ObjectView;
}

type Start = PullEvent & { readonly type: 'start' };

interface Run {
  readonly source: SourceId;
  readonly from: number;
  to: number;
  readonly fromUs: number;
  toUs: number;
}

const ownSourcesMax = 8;

export class ObjectTimeline implements Timeline {
  readonly sources = new Map<SourceId, number>();
  readonly #start: Start;
  readonly #bounds: TimelineBounds;
  /** What each of the latest requests was given, by pull. */
  readonly #given = new Map<number, Map<SourceId, number>>();
  readonly #runs: Run[] = [];
  readonly #steps: { readonly atUs: number; readonly view: (atMs: number) => StepView }[] = [];
  /** Since when the next run of bytes flows, by pull: since the first head of it, as further windows have heads too. */
  readonly #flows = new Map<number, { sinceUs: number; hasHead: boolean }>();
  #requests = 0;
  #stepsDropped = 0;
  #lastUs: number;
  #waitedUs = 0;
  #stall: { readonly source: SourceId; readonly waitedUs: number } | undefined;
  #sizeBytes: number | null = null;
  #end: { readonly reason: PullEnd; readonly status: number } | undefined;
  #lookup: ObjectView['lookup'] = null;

  constructor(start: Start, bounds: TimelineBounds) {
    this.#start = start;
    this.#bounds = bounds;
    this.#lastUs = start.atUs;
  }

  get lastUs(): number {
    return this.#lastUs;
  }

  get isOpen(): boolean {
    return this.#flows.size > 0;
  }

  get bytes(): number {
    return this.sources.values().reduce((sum, bytes) => sum + bytes, 0);
  }

  add(event: PullEvent): void {
    this.#lastUs = event.atUs;
    switch (event.type) {
      case 'start':
        this.#requests += 1;
        this.#given.set(event.pullId, new Map());
        this.#forgetGiven();
        this.#flows.set(event.pullId, { sinceUs: event.atUs, hasHead: false });
        return;
      case 'end':
        this.#flows.delete(event.pullId);
        this.#end = { reason: event.reason, status: event.status };
        return;
      case 'bytes':
        return this.#addRun(event);
      case 'lookup':
        this.#lookup = { outcome: event.outcome, sources: event.sources, tookMs: event.tookUs / 1000 };
        return;
      case 'head':
        this.#sizeBytes = event.sizeBytes ?? this.#sizeBytes;
        if (this.#flows.get(event.pullId)?.hasHead === false) {
          this.#flows.set(event.pullId, { sinceUs: event.atUs, hasHead: true });
        }
        return;
      case 'attempt':
        return;
      default:
        this.#addStep(event);
    }
  }

  arrived(sizeBytes: number, atUs: number, tookUs: number): void {
    this.#lastUs = Math.max(this.#lastUs, atUs);
    this.#sizeBytes = sizeBytes;
    const given = this.bytes;
    if (given >= sizeBytes) return;
    this.sources.set('upstream', sizeBytes - given);
    this.#runs.push({ source: 'upstream', from: given, to: sizeBytes, fromUs: atUs - tookUs, toUs: atUs });
  }

  #addRun({ pullId, source, from, to, atUs }: PullEvent & { readonly type: 'bytes' }): void {
    for (const sources of [this.sources, this.#given.get(pullId)]) {
      sources?.set(source, (sources.get(source) ?? 0) + to - from);
    }
    const fromUs = this.#flows.get(pullId)?.sinceUs ?? atUs;
    this.#flows.set(pullId, { sinceUs: atUs, hasHead: false });
    const last = this.#runs.at(-1);
    if (last?.source === source && last.to === from) {
      last.to = to;
      last.toUs = atUs;
    } else if (this.#runs.length < this.#bounds.viewStepsMax) {
      this.#runs.push({ source, from, to, fromUs, toUs: atUs });
    }
  }

  #forgetGiven(): void {
    for (const pullId of this.#given.keys()) {
      if (this.#given.size <= ownSourcesMax) return;
      this.#given.delete(pullId);
    }
  }

  #addStep(event: PullEvent): void {
    const step = stepOf(event);
    if (step === undefined) return;
    if (event.type === 'stall') {
      this.#waitedUs += event.waitedUs;
      this.#stall = event;
    }
    if (event.type === 'attempt-failed') {
      // What ends an attempt after a stall may count the stall once more.
      const countedUs = this.#stall?.source === event.source ? this.#stall.waitedUs : 0;
      this.#waitedUs += Math.max(0, event.tookUs - countedUs);
      this.#stall = undefined;
    }
    if (this.#steps.length < this.#bounds.viewStepsMax) this.#steps.push({ atUs: event.atUs, view: step });
    else this.#stepsDropped += 1;
  }

  view(beginningUs: number): ObjectView {
    const since = (us: number): number => (us - beginningUs) / 1000;
    const { key, resource } = this.#start;
    return {
      key,
      resource,
      pulls: [...this.#given].map(([pullId, sources]) => ({ pullId, sources: sourcesOf(sources) })),
      requests: this.#requests,
      fromMs: since(this.#start.atUs),
      tookMs: (this.#lastUs - this.#start.atUs) / 1000,
      sizeBytes: this.#sizeBytes,
      bytes: this.bytes,
      status: this.#end?.status ?? null,
      end: this.isOpen ? null : (this.#end?.reason ?? null),
      sources: sourcesOf(this.sources),
      runs: this.#runs.map(({ source, from, to, fromUs, toUs }): RunView => {
        return { source, from, to, fromMs: since(fromUs), toMs: since(toUs) };
      }),
      lookup: this.#lookup,
      waitedMs: this.#waitedUs / 1000,
      steps: this.#steps.map(({ atUs, view }) => view(since(atUs))),
      stepsDropped: this.#stepsDropped,
    };
  }
}

/** Largest first. */
export function sourcesOf(bytes: ReadonlyMap<SourceId, number>): SourceBytes[] {
  return [...bytes].map(([source, count]) => ({ source, bytes: count })).sort((a, b) => b.bytes - a.bytes);
}

function stepOf(step: PullStep): ((atMs: number) => StepView) | undefined {
  switch (step.type) {
    case 'attempt-failed': {
      const { source, reason, tookUs } = step;
      return (atMs) => ({ atMs, type: 'failed', source, reason, tookMs: tookUs / 1000 });
    }
    case 'stall': {
      const { source, at, waitedUs } = step;
      return (atMs) => ({ atMs, type: 'stalled', source, offset: at, waitedMs: waitedUs / 1000 });
    }
    case 'switch': {
      const { from, to, at, reason } = step;
      return (atMs) => ({ atMs, type: 'switched', source: from, to, offset: at, reason });
    }
    case 'resume':
      return (atMs) => ({ atMs, type: 'resumed', source: step.source, offset: step.at });
    case 'suspect':
      return (atMs) => ({ atMs, type: 'suspected', source: step.source, proof: step.proof });
    case 'liar':
      return (atMs) => ({ atMs, type: 'lied', source: step.source });
    default:
      return undefined;
  }
}
