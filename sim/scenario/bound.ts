import * as v from 'valibot';
import { sayValue } from './scenario-error.ts';

/** What a figure is expected to be: both ends belong to it. */
export interface Bound {
  readonly min: number;
  readonly max: number;
  /** As it was written. */
  readonly text: string;
}

/** `0`, `at most 1.1`, `at least 5s`, `1 to 1.1`: of figures that `parse` reads. */
export function bound(
  parse: (text: string) => number | undefined,
  example: string,
): v.GenericSchema<string | number, Bound> {
  return v.pipe(
    v.custom<string | number>(() => true),
    v.rawTransform<string | number, Bound>(({ dataset: { value }, addIssue, NEVER }) => {
      const parsed = parseBound(String(value).trim(), parse);
      if (parsed !== undefined) return parsed;
      addIssue({
        message: `${sayValue(value)} is nothing to expect: write ${example}, at most ${example}, at least ${example}, or two of them with "to" between`,
      });
      return NEVER;
    }),
  );
}

function parseBound(text: string, parse: (text: string) => number | undefined): Bound | undefined {
  const [, word, rest = ''] = /^(at most|at least)\s+(.+)$/.exec(text) ?? [];
  if (word !== undefined) {
    const value = parse(rest);
    if (value === undefined) return undefined;
    return word === 'at most' ? { min: -Infinity, max: value, text } : { min: value, max: Infinity, text };
  }
  const [low = '', high = low, ...more] = text.split(/\s+to\s+/);
  const [min, max] = [parse(low), parse(high)];
  return min === undefined || max === undefined || more.length > 0 || min > max ? undefined : { min, max, text };
}

/** A plain number. */
export function parseNumber(text: string): number | undefined {
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}
