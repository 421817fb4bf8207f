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
  readonly what: FaultKind;
}

interface FaultInput {
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

const kinds: Readonly<Record<string, KindSchema>> = {
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
  { kind: oneOf(Object.keys(kinds), 'fault') },
  'is no fault: write kind, on and at below it',
);

/** A fault in a file: its kind decides what else it may say. */
export const faultText = v.lazy((input): v.GenericSchema => {
  const name = typeof input === 'object' && input !== null && 'kind' in input ? input.kind : undefined;
  return (typeof name === 'string' && Object.hasOwn(kinds, name) ? kinds[name] : undefined) ?? unknownKind;
}) as unknown as v.GenericSchema<FaultInput, FaultParts>;
