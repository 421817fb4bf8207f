import * as v from 'valibot';
import type { FaultKind } from '../faults/fault.ts';
import type { HttpFault } from '../network/http-fault.ts';
import { count, duration, fields, oneOf, oneOrMore, rate, size, text } from './quantities.ts';

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
  /** Nodes on the other side. */
  readonly with?: readonly string[] | undefined;
  readonly what: FaultKind;
}

export interface FaultInput {
  readonly kind: string;
  readonly on: string | readonly string[];
  readonly [field: string]: string | number | readonly string[];
}

type KindSchema = v.GenericSchema<unknown, Omit<FaultParts, 'what'> & { readonly what: FaultKind }>;

function kind<const T extends Readonly<Record<string, v.GenericSchema>>>(
  own: T,
  build: (args: v.InferOutput<v.StrictObjectSchema<T, undefined>>) => FaultKind,
): KindSchema {
  const schema: v.GenericSchema = v.pipe(
    fields({ ...place, ...own }),
    v.transform((parts) => ({ ...parts, what: build(parts as Parameters<typeof build>[0]) })),
  );
  return schema as KindSchema;
}

function plain(what: FaultKind): KindSchema {
  return kind({}, () => what);
}

/** What happens to exchanges with a node. */
function http<const T extends Readonly<Record<string, v.GenericSchema>>>(
  own: T,
  build: (args: v.InferOutput<v.StrictObjectSchema<T, undefined>>) => HttpFault,
): KindSchema {
  return kind({ ...own, from: v.optional(oneOrMore(text)) }, (args) => ({
    kind: 'http',
    fault: build(args as Parameters<typeof build>[0]),
  }));
}

const byte = { byte: v.optional(size, 0) };

export const faultKinds: Readonly<Record<string, KindSchema>> = {
  crash: plain({ kind: 'crash' }),
  'crash-empty': plain({ kind: 'crash-empty' }),
  pause: plain({ kind: 'pause' }),
  drain: plain({ kind: 'drain' }),
  unplug: plain({ kind: 'unplug' }),
  rate: kind({ rate }, (args) => ({ kind: 'rate', bytesPerSecond: args.rate })),
  corrupt: kind(byte, (args) => ({ kind: 'corrupt', atByte: args.byte })),
  'remove-layers': plain({ kind: 'remove-layers' }),
  wall: kind({ offset: duration }, ({ offset }) => ({ kind: 'wall', offsetUs: offset })),
  'mute-records': plain({ kind: 'mute-records' }),
  rename: plain({ kind: 'rename' }),
  'pause-node': plain({ kind: 'pause-node' }),
  vanish: plain({ kind: 'vanish' }),
  absent: plain({ kind: 'absent' }),
  'slow-cpu': kind({ times: count(2, 1_000) }, ({ times }) => ({ kind: 'slow-cpu', times })),
  latency: kind({ added: duration }, ({ added }) => ({ kind: 'latency', addedUs: added })),
  drift: kind({ perSecond: duration }, ({ perSecond }) => ({ kind: 'drift', usPerSecond: perSecond })),
  'read-error': kind(byte, (args) => ({ kind: 'read-error', atByte: args.byte })),
  truncate: kind({ size: v.optional(size, 0) }, (args) => ({ kind: 'truncate', toBytes: args.size })),
  'slow-disk': kind({ rate }, (args) => ({ kind: 'slow-disk', bytesPerSecond: args.rate })),
  cut: kind({ with: oneOrMore(text) }, () => ({ kind: 'cut', with: [] })),
  island: kind({ with: v.optional(oneOrMore(text), []) }, () => ({ kind: 'island', with: [] })),
  'names-fail': plain({ kind: 'names', fault: { kind: 'fail' } }),
  'names-lag': kind({ lag: duration }, ({ lag }) => ({ kind: 'names', fault: { kind: 'lag', lagUs: lag } })),
  'names-truncate': kind({ entries: count(0, 5_000) }, ({ entries }) => ({
    kind: 'names',
    fault: { kind: 'truncate', entriesMax: entries },
  })),
  'records-refused': plain({ kind: 'records', fault: { kind: 'refused' } }),
  'records-slow': kind({ delay: duration }, ({ delay }) => ({
    kind: 'records',
    fault: { kind: 'slow', delayUs: delay },
  })),
  'records-stale': plain({ kind: 'records', fault: { kind: 'stale' } }),
  'records-empty': plain({ kind: 'records', fault: { kind: 'empty' } }),
  'records-hostile': plain({ kind: 'records', fault: { kind: 'hostile' } }),
  refuse: http({}, () => ({ kind: 'refuse' })),
  'black-hole': http({}, () => ({ kind: 'black-hole' })),
  'silent-head': http({}, () => ({ kind: 'silent-head' })),
  'slow-head': http({ delay: duration }, ({ delay }) => ({ kind: 'slow-head', delayUs: delay })),
  reset: http(byte, (args) => ({ kind: 'reset', atByte: args.byte })),
  stall: http(byte, (args) => ({ kind: 'stall', atByte: args.byte })),
  flip: http(byte, (args) => ({ kind: 'flip', atByte: args.byte })),
  trickle: http({ rate }, (args) => ({ kind: 'trickle', bytesPerSecond: args.rate })),
  status: http({ status: count(400, 599) }, ({ status }) => ({ kind: 'status', status })),
  'ignore-range': http({}, () => ({ kind: 'ignore-range' })),
  'shift-range': http({ bytes: size }, ({ bytes }) => ({ kind: 'shift-range', bytes })),
  'other-size': http({ bytes: size }, ({ bytes }) => ({ kind: 'other-size', bytes })),
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
