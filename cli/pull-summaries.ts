import type { PullEvent, PullStep } from '../core/index.ts';

/** One pull from its start to its end, as a line of the log. */
export interface PullSummary {
  readonly pullId: number;
  readonly asker: 'client' | 'mirror';
  readonly method: string;
  readonly resource: 'manifest' | 'blob';
  readonly key: string;
  readonly registry: string | undefined;
  readonly repository: string;
  readonly range: string | undefined;
  readonly status: number;
  readonly end: string;
  readonly bytes: number;
  readonly tookMs: number;
  /** Bytes by source: a member's id, or `local`. */
  readonly sources: Readonly<Record<string, number>>;
  readonly lookup?: { readonly outcome: string; readonly sources: number; readonly tookMs: number };
  /** In order: what failed, where the body changed its source and why. At most `notesMax`; `notesDropped` says how many more. */
  readonly notes?: readonly PullNote[];
  readonly notesDropped?: number;
}

export type PullNote =
  | { readonly failed: string; readonly reason: string }
  | { readonly stalled: string; readonly at: number; readonly waitedMs: number }
  | { readonly from: string; readonly to: string; readonly at: number; readonly reason: string }
  | { readonly resumed: string; readonly at: number }
  | { readonly suspect: string; readonly proof: string }
  | { readonly liar: string };

/** A body of a terabyte over bad links could have thousands. */
const notesMax = 32;

type Start = PullStep & { readonly type: 'start' };

interface OpenPull {
  readonly start: Start;
  readonly sources: Map<string, number>;
  readonly notes: PullNote[];
  notesDropped: number;
  lookup: PullSummary['lookup'];
}

/** Gathers each pull's events; `add` returns its summary at its end. */
export function createPullSummaries(): { add(event: PullEvent): PullSummary | undefined } {
  const pulls = new Map<number, OpenPull>();
  return {
    add: (event) => {
      if (event.type === 'start') {
        pulls.set(event.pullId, { start: event, sources: new Map(), notes: [], notesDropped: 0, lookup: undefined });
        return undefined;
      }
      const pull = pulls.get(event.pullId);
      if (pull === undefined) return undefined;
      if (event.type === 'end') {
        pulls.delete(event.pullId);
        return summaryOf(event.pullId, pull, event);
      }
      addStep(pull, event);
      return undefined;
    },
  };
}

function addStep(pull: OpenPull, step: PullStep): void {
  if (step.type === 'bytes') {
    pull.sources.set(step.source, (pull.sources.get(step.source) ?? 0) + step.to - step.from);
  } else if (step.type === 'lookup') {
    pull.lookup = { outcome: step.outcome, sources: step.sources, tookMs: ms(step.tookUs) };
  } else {
    const note = noteOf(step);
    if (note === undefined) return;
    if (pull.notes.length < notesMax) pull.notes.push(note);
    else pull.notesDropped += 1;
  }
}

function noteOf(step: PullStep): PullNote | undefined {
  switch (step.type) {
    case 'attempt-failed':
      return { failed: step.source, reason: step.reason };
    case 'stall':
      return { stalled: step.source, at: step.at, waitedMs: ms(step.waitedUs) };
    case 'switch':
      return { from: step.from, to: step.to, at: step.at, reason: step.reason };
    case 'resume':
      return { resumed: step.source, at: step.at };
    case 'suspect':
      return { suspect: step.source, proof: step.proof };
    case 'liar':
      return { liar: step.source };
    case 'start':
    case 'lookup':
    case 'attempt':
    case 'head':
    case 'bytes':
    case 'end':
      return undefined;
  }
}

function summaryOf(pullId: number, pull: OpenPull, end: PullStep & { readonly type: 'end' }): PullSummary {
  const { start, lookup, notes, notesDropped } = pull;
  const { method, resource, key, registry, repository, range } = start;
  return {
    pullId,
    asker: start.mirrored ? 'mirror' : 'client',
    method,
    resource,
    key,
    registry,
    repository,
    range,
    status: end.status,
    end: end.reason,
    bytes: end.bytes,
    tookMs: ms(end.tookUs),
    sources: Object.fromEntries(pull.sources),
    ...(lookup === undefined ? {} : { lookup }),
    ...(notes.length === 0 ? {} : { notes }),
    ...(notesDropped === 0 ? {} : { notesDropped }),
  };
}

function ms(us: number): number {
  return Math.round(us) / 1000;
}
