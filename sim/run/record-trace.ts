import { nameOf } from '../network/party.ts';
import type { SimEvent, SimStamp, SimStep, Trace } from './trace.ts';

type Named<T> = T extends { readonly type: 'request' }
  ? Omit<T, 'from' | 'to'> & { readonly from: string; readonly to: string }
  : T;

/** What happened, as a plain value that may be kept, written and read again: parties by their names (`n3/mirror`). */
export type TraceEvent = Named<SimStep> & SimStamp;

export interface RecordOptions {
  /** Keeps the last ones only. @default all */
  readonly eventsMax?: number;
  /** Keeps these only. @default all */
  readonly keeps?: (event: SimEvent) => boolean;
}

export interface TraceRecording {
  /** In the order in which they happened. */
  events(): readonly TraceEvent[];
}

/** Keeps what happens from now on. */
export function recordTrace(trace: Trace, { eventsMax = Infinity, keeps }: RecordOptions = {}): TraceRecording {
  const events: TraceEvent[] = [];
  trace.watch((event) => {
    if (keeps !== undefined && !keeps(event)) return;
    events.push(plainEvent(event));
    // Not at each event: the front of an array is expensive to cut.
    if (events.length >= 2 * eventsMax) events.splice(0, events.length - eventsMax);
  });
  return {
    events: () => (events.length > eventsMax ? events.slice(-eventsMax) : events),
  };
}

export function plainEvent(event: SimEvent): TraceEvent {
  return event.type === 'request' ? { ...event, from: nameOf(event.from), to: nameOf(event.to) } : event;
}
