import type { HttpFault } from '../network/http-fault.ts';
import type { NamesFault } from '../node/name-service.ts';
import type { RecordsFault } from '../node/records-fault.ts';
import type { FaultKind } from './fault.ts';

/** What a value has to be; with `?` it may be missing. */
export type ArgumentCheck =
  | 'whole'
  | 'whole?'
  | 'integer'
  | 'positive'
  | 'count?'
  | 'node?'
  | 'nodes'
  | 'http'
  | 'records'
  | 'names'
  | { readonly accepts: readonly (string | number)[]; readonly isOptional?: boolean };

type Arguments<T extends { readonly kind: string }> = {
  readonly [Kind in T['kind']]: {
    readonly [Name in Exclude<keyof Extract<T, { readonly kind: Kind }>, 'kind'>]-?: ArgumentCheck;
  };
};

/** What each kind of fault takes. The types see to it that none is forgotten. */
export const kindArguments: Arguments<FaultKind> = {
  crash: {},
  'crash-empty': {},
  rename: {},
  pause: {},
  drain: {},
  'slow-cpu': { times: 'positive' },
  'pause-node': {},
  vanish: {},
  absent: {},
  unplug: {},
  rate: { bytesPerSecond: 'positive' },
  latency: { addedUs: 'whole' },
  cut: { with: 'nodes', way: { accepts: ['in', 'out'], isOptional: true } },
  http: { fault: 'http', from: 'node?', every: 'count?' },
  corrupt: { atByte: 'whole' },
  'remove-layers': {},
  'read-error': { atByte: 'whole' },
  truncate: { toBytes: 'whole' },
  'slow-disk': { bytesPerSecond: 'positive' },
  'store-events': { how: { accepts: ['gap', 'duplicate', 'lost', 'delay', 'reorder'] }, delayUs: 'whole?' },
  'mute-records': {},
  records: { fault: 'records', every: 'count?' },
  names: { fault: 'names' },
  forget: { members: 'nodes' },
  island: { with: 'nodes' },
  wall: { offsetUs: 'integer' },
  drift: { usPerSecond: 'integer' },
};

export const httpArguments: Arguments<HttpFault> = {
  refuse: {},
  'black-hole': {},
  'silent-head': {},
  'slow-head': { delayUs: 'whole' },
  'hang-up': {},
  garbage: {},
  reset: { atByte: 'integer' },
  cut: { atByte: 'integer' },
  stall: { atByte: 'integer' },
  flip: { atByte: 'integer' },
  trickle: { bytesPerSecond: 'positive' },
  status: { status: 'whole', retryAfterS: 'whole?' },
  'ignore-range': {},
  'shift-range': { bytes: 'integer' },
  'other-size': { bytes: 'integer' },
  'short-length': { bytes: 'whole' },
  'long-length': { bytes: 'whole' },
  surplus: {},
  'other-digest': {},
};

export const recordsArguments: Arguments<RecordsFault> = {
  lost: {},
  refused: {},
  quota: {},
  slow: { delayUs: 'whole' },
  again: { delayUs: 'whole' },
  stale: {},
  empty: {},
  self: {},
  hostile: {},
};

export const namesArguments: Arguments<NamesFault> = {
  fail: {},
  lag: { lagUs: 'whole' },
  truncate: { entriesMax: 'whole' },
};
