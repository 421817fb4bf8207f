import * as v from 'valibot';
import type { FaultKind } from '../faults/fault.ts';
import type { HttpFault } from '../network/http-fault.ts';
import type { NamesFault } from '../node/name-service.ts';
import type { RecordsFault } from '../node/records-fault.ts';
import {
  count,
  duration,
  fields,
  oneOf,
  oneOrMore,
  positive,
  rate,
  signedDuration,
  signedSize,
  size,
  text,
} from './quantities.ts';

/** What all faults of a file have: which one, where and when. */
const place = {
  kind: text,
  /** Which nodes, or `upstream`. */
  on: oneOrMore(text),
  except: v.optional(oneOrMore(text), []),
  at: v.optional(duration, '0'),
  until: v.optional(duration),
  /** Instead of `until`: how long it lasts. */
  for: v.optional(duration),
  /** From one node to the next. */
  every: v.optional(duration, '0'),
};

export interface FaultParts {
  readonly kind: string;
  readonly on: readonly string[];
  readonly except: readonly string[];
  readonly at: number;
  readonly until?: number | undefined;
  readonly for?: number | undefined;
  readonly every: number;
  /** Only what these nodes ask for. */
  readonly from?: readonly string[] | undefined;
  /** The other side of it. */
  readonly with?: readonly string[] | undefined;
  readonly what: FaultKind;
}

export interface FaultInput {
  readonly kind: string;
  readonly on: string | readonly string[];
  readonly [field: string]: string | number | readonly string[];
}

type KindSchema = v.GenericSchema<unknown, Omit<FaultParts, 'what'> & { readonly what: FaultKind }>;

type Fields = Readonly<Record<string, v.GenericSchema>>;
type Parsed<T extends Fields> = v.InferOutput<v.StrictObjectSchema<T, undefined>>;

function kind<const T extends Fields>(own: T, build: (args: Parsed<T>) => FaultKind): KindSchema {
  const schema: v.GenericSchema = v.pipe(
    fields({ ...place, ...own }),
    v.transform((parts) => ({ ...parts, what: build(parts as Parsed<T>) })),
  );
  return schema as KindSchema;
}

function plain(what: FaultKind): KindSchema {
  return kind({}, () => what);
}

/** What happens to exchanges with a node; `nth`: only to each so many-th. */
function http<const T extends Fields>(own: T, build: (args: Parsed<T>) => HttpFault): KindSchema {
  return kind({ ...own, from: v.optional(oneOrMore(text)), nth: v.optional(count(1, 1_000_000)) }, (args) => ({
    kind: 'http',
    fault: build(args as Parsed<T>),
    ...(typeof args.nth === 'number' ? { every: args.nth } : {}),
  }));
}

const byte = { byte: v.optional(size, 0) };
/** Of a body: below zero it counts from the end. */
const bodyByte = { byte: v.optional(signedSize, 0) };

/** Calls about records that it is asked; `nth`: only each so many-th. */
function records<const T extends Fields>(own: T, build: (args: Parsed<T>) => RecordsFault): KindSchema {
  return kind({ ...own, nth: v.optional(count(1, 1_000_000)) }, (args) => ({
    kind: 'records',
    fault: build(args as Parsed<T>),
    ...(typeof args.nth === 'number' ? { every: args.nth } : {}),
  }));
}

function names<const T extends Fields>(own: T, build: (args: Parsed<T>) => NamesFault): KindSchema {
  return kind(own, (args) => ({ kind: 'names', fault: build(args) }));
}

/** Nodes of the cluster are put into it when they are known. */
const others = { with: oneOrMore(text) };
const ways = ['gap', 'duplicate', 'lost', 'delay', 'reorder'] as const;

export const faultKinds: Readonly<Record<string, KindSchema>> = {
  crash: plain({ kind: 'crash' }),
  'crash-empty': plain({ kind: 'crash-empty' }),
  pause: plain({ kind: 'pause' }),
  drain: plain({ kind: 'drain' }),
  rename: plain({ kind: 'rename' }),
  'slow-cpu': kind({ times: positive }, ({ times }) => ({ kind: 'slow-cpu', times })),
  'pause-node': plain({ kind: 'pause-node' }),
  vanish: plain({ kind: 'vanish' }),
  absent: plain({ kind: 'absent' }),
  latency: kind({ added: duration }, ({ added }) => ({ kind: 'latency', addedUs: added })),
  partition: kind({ ...others, way: v.optional(oneOf(['in', 'out'], 'way')) }, ({ way }) => ({
    kind: 'cut',
    with: [],
    ...(way === undefined ? {} : { way }),
  })),
  unplug: plain({ kind: 'unplug' }),
  rate: kind({ rate }, (args) => ({ kind: 'rate', bytesPerSecond: args.rate })),
  corrupt: kind(byte, (args) => ({ kind: 'corrupt', atByte: args.byte })),
  'remove-layers': plain({ kind: 'remove-layers' }),
  'read-error': kind(byte, (args) => ({ kind: 'read-error', atByte: args.byte })),
  truncate: kind({ bytes: size }, ({ bytes }) => ({ kind: 'truncate', toBytes: bytes })),
  'slow-disk': kind({ rate }, (args) => ({ kind: 'slow-disk', bytesPerSecond: args.rate })),
  'store-events': kind({ how: oneOf(ways, 'way of telling'), delay: v.optional(duration) }, ({ how, delay }) => ({
    kind: 'store-events',
    how,
    ...(delay === undefined ? {} : { delayUs: delay }),
  })),
  forget: kind(others, () => ({ kind: 'forget', members: [] })),
  island: kind(others, () => ({ kind: 'island', with: [] })),
  'records-lost': records({}, () => ({ kind: 'lost' })),
  'records-refused': records({}, () => ({ kind: 'refused' })),
  'records-quota': records({}, () => ({ kind: 'quota' })),
  'records-slow': records({ delay: duration }, ({ delay }) => ({ kind: 'slow', delayUs: delay })),
  'records-again': records({ delay: duration }, ({ delay }) => ({ kind: 'again', delayUs: delay })),
  'records-stale': records({}, () => ({ kind: 'stale' })),
  'records-empty': records({}, () => ({ kind: 'empty' })),
  'records-self': records({}, () => ({ kind: 'self' })),
  'records-hostile': records({}, () => ({ kind: 'hostile' })),
  'dns-fails': names({}, () => ({ kind: 'fail' })),
  'dns-lags': names({ lag: duration }, ({ lag }) => ({ kind: 'lag', lagUs: lag })),
  'dns-truncates': names({ entries: count(0, 100_000) }, ({ entries }) => ({ kind: 'truncate', entriesMax: entries })),
  drift: kind({ perSecond: signedDuration }, ({ perSecond }) => ({ kind: 'drift', usPerSecond: perSecond })),
  wall: kind({ offset: signedDuration }, ({ offset }) => ({ kind: 'wall', offsetUs: offset })),
  'mute-records': plain({ kind: 'mute-records' }),
  refuse: http({}, () => ({ kind: 'refuse' })),
  'black-hole': http({}, () => ({ kind: 'black-hole' })),
  'silent-head': http({}, () => ({ kind: 'silent-head' })),
  'slow-head': http({ delay: duration }, ({ delay }) => ({ kind: 'slow-head', delayUs: delay })),
  'hang-up': http({}, () => ({ kind: 'hang-up' })),
  garbage: http({}, () => ({ kind: 'garbage' })),
  cut: http(bodyByte, (args) => ({ kind: 'cut', atByte: args.byte })),
  reset: http(bodyByte, (args) => ({ kind: 'reset', atByte: args.byte })),
  stall: http(bodyByte, (args) => ({ kind: 'stall', atByte: args.byte })),
  flip: http(bodyByte, (args) => ({ kind: 'flip', atByte: args.byte })),
  trickle: http({ rate }, (args) => ({ kind: 'trickle', bytesPerSecond: args.rate })),
  status: http({ status: count(400, 599), retryAfter: v.optional(duration) }, ({ retryAfter, status }) => ({
    kind: 'status',
    status,
    ...(retryAfter === undefined ? {} : { retryAfterS: Math.ceil(retryAfter / 1_000_000) }),
  })),
  'ignore-range': http({}, () => ({ kind: 'ignore-range' })),
  'shift-range': http({ bytes: signedSize }, ({ bytes }) => ({ kind: 'shift-range', bytes })),
  'other-size': http({ bytes: signedSize }, ({ bytes }) => ({ kind: 'other-size', bytes })),
  'short-length': http({ bytes: size }, ({ bytes }) => ({ kind: 'short-length', bytes })),
  'long-length': http({ bytes: size }, ({ bytes }) => ({ kind: 'long-length', bytes })),
  surplus: http({}, () => ({ kind: 'surplus' })),
  'other-digest': http({}, () => ({ kind: 'other-digest' })),
};

const unknownKind = v.looseObject(
  { kind: oneOf(Object.keys(faultKinds), 'fault') },
  'is no fault: write kind, on and at below it',
);

/** A fault in a file: its kind decides what else it may say. */
export const faultText = v.lazy((input): v.GenericSchema => {
  const name = typeof input === 'object' && input !== null && 'kind' in input ? input.kind : undefined;
  return (typeof name === 'string' && Object.hasOwn(faultKinds, name) ? faultKinds[name] : undefined) ?? unknownKind;
}) as unknown as v.GenericSchema<FaultInput, FaultParts>;
