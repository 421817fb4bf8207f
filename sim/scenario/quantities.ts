import * as v from 'valibot';
import { didYouMean, sayOneOf, sayValue } from './scenario-error.ts';
import { parseDurationUs, parsePercent, parseRateBytesPerSecond, parseSigned, parseSizeBytes } from './units.ts';

/** The parts of a scenario's schema. Each complaint is the end of a sentence that begins with the place. */

type Entries = Readonly<Record<string, v.GenericSchema>>;

/** Named fields and no others. */
export function fields<const T extends Entries>(
  entries: T,
): v.GenericSchema<
  v.InferInput<v.StrictObjectSchema<T, undefined>>,
  v.InferOutput<v.StrictObjectSchema<T, undefined>>
> {
  const names = Object.keys(entries);
  const sayOther = (input: unknown): string =>
    `${sayValue(input)} is no list of fields: write ${names.slice(0, 3).join(', ')}, ... below it`;
  // To a schema of an object a list is one, whose `at` is a function.
  const list = v.custom<never>(
    () => false,
    ({ input }) => sayOther(input),
  );
  const named = v.strictObject(entries, ({ input, path, expected }) => {
    if (expected === 'Object') return sayOther(input);
    const key = String(path?.at(-1)?.key);
    if (expected !== 'never') return 'is missing';
    return `is not known here${didYouMean(key, names)}: it may have ${sayOneOf(names)}`;
  });
  return v.lazy((input) => (Array.isArray(input) ? list : named));
}

/** The first schema for what it is meant for, else the second. */
export function either<A extends v.GenericSchema, B extends v.GenericSchema>(
  isFirst: (input: unknown) => boolean,
  first: A,
  second: B,
): v.GenericSchema<v.InferInput<A> | v.InferInput<B>, v.InferOutput<A> | v.InferOutput<B>> {
  return v.lazy((input) => (isFirst(input) ? first : second));
}

export const text = v.string(({ input }) => `${sayValue(input)} is no text`);

export function listOf<T extends v.GenericSchema>(item: T): v.ArraySchema<T, (issue: v.ArrayIssue) => string> {
  return v.array(item, ({ input }) => `${sayValue(input)} is no list: write each item on a line that begins with -`);
}

/** One, or a list of them: always a list. */
export function oneOrMore<T extends v.GenericSchema>(
  item: T,
): v.GenericSchema<v.InferInput<T> | readonly v.InferInput<T>[], readonly v.InferOutput<T>[]> {
  return v.lazy((input): v.GenericSchema<never, readonly v.InferOutput<T>[]> =>
    Array.isArray(input)
      ? (listOf(item) as never)
      : (v.pipe(
          item,
          v.transform((value) => [value]),
        ) as never),
  );
}

export function count(min: number, max: number): v.GenericSchema<number, number> {
  return v.custom<number>(
    (input) => typeof input === 'number' && Number.isInteger(input) && input >= min && input <= max,
    ({ input }) => `${sayValue(input)} is no whole number from ${min} to ${max}`,
  );
}

export const positive: v.GenericSchema<number, number> = v.custom<number>(
  (input) => typeof input === 'number' && input > 0 && input < Infinity,
  ({ input }) => `${sayValue(input)} is no number above 0`,
);

export const yesOrNo: v.GenericSchema<boolean, boolean> = v.custom<boolean>(
  (input) => typeof input === 'boolean',
  ({ input }) => `${sayValue(input)} is neither true nor false`,
);

export function oneOf<const T extends string>(names: readonly T[], what: string): v.GenericSchema<T, T> {
  return v.custom<T>(
    (input) => names.some((name) => name === input),
    ({ input }) =>
      `${sayValue(input)} is no ${what}${typeof input === 'string' ? didYouMean(input, names) : ''}: it may be ${sayOneOf(names)}`,
  );
}

function quantity(
  what: string,
  parse: (value: string | number) => number | undefined,
  mend: string,
): v.GenericSchema<string | number, number> {
  return v.pipe(
    v.custom<string | number>(() => true),
    v.rawTransform<string | number, number>(({ dataset, addIssue, NEVER }) => {
      const { value } = dataset;
      const parsed = typeof value === 'string' || typeof value === 'number' ? parse(value) : undefined;
      if (parsed !== undefined) return parsed;
      addIssue({ message: `${sayValue(value)} is no ${what}: write it as ${mend}` });
      return NEVER;
    }),
  );
}

export const duration = quantity('duration', parseDurationUs, '30s, 10ms or 1m30s');
export const size = quantity('size', parseSizeBytes, '50MB, 2GiB or a number of bytes');
export const rate = quantity('rate', parseRateBytesPerSecond, '1Gbit/s or 125MB/s');
/** As much as there is. */
export const unlimitedRate = quantity(
  'rate',
  (value) => (value === 'unlimited' ? Infinity : parseRateBytesPerSecond(value)),
  '1Gbit/s, 125MB/s or unlimited',
);
/** Back, too. */
export const signedDuration = quantity('duration', parseSigned(parseDurationUs), '30s, 10ms or -1m30s');
/** From the end, where it is below zero. */
export const signedSize = quantity('size', parseSigned(parseSizeBytes), '50MB, -1 or a number of bytes');

/** A number of things, or a part of all: given all of them, how many. */
export type Share = (all: number) => number;

export const share: v.GenericSchema<string | number, Share> = v.pipe(
  v.custom<string | number>(() => true),
  v.rawTransform<string | number, Share>(({ dataset: { value }, addIssue, NEVER }) => {
    const percent = typeof value === 'string' ? parsePercent(value) : undefined;
    if (percent !== undefined) return (all) => Math.max(1, Math.floor((all * percent) / 100));
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return () => value;
    addIssue({ message: `${sayValue(value)} is no number of nodes: write it as 5 or 10%` });
    return NEVER;
  }),
);

const layersPattern = /^\s*(\d{1,5})\s*[x×]\s*(.+)$/;

/** `10 x 50MB`, or one size. */
const layer: v.GenericSchema<string | number, readonly number[]> = v.pipe(
  v.custom<string | number>(() => true),
  v.rawTransform<string | number, readonly number[]>(({ dataset: { value }, addIssue, NEVER }) => {
    const [, times = '1', one = value] = (typeof value === 'string' ? layersPattern.exec(value) : undefined) ?? [];
    const bytes = typeof one === 'string' || typeof one === 'number' ? parseSizeBytes(one) : undefined;
    if (bytes !== undefined) return Array.from({ length: Number(times) }, () => bytes);
    addIssue({ message: `${sayValue(value)} is no layer: write its size, 50MB, or 10 x 50MB for ten of them` });
    return NEVER;
  }),
);

export const layers = v.pipe(
  oneOrMore(layer),
  v.transform((lists) => lists.flat()),
);
