import type { Summary } from './statistics.ts';

/** One line of the table: what was measured on whom, and what is asked of ours. */
export interface Line {
  readonly row: RowName;
  readonly what: string;
  readonly unit: Unit;
  /** By subject: ours first, then the baselines and other mirrors. */
  readonly subjects: readonly Subject[];
  /** Ours over a baseline, or the first other mirror, of the same round. */
  readonly ratio?: { readonly against: string; readonly summary: Summary };
  readonly mark?: Mark;
  readonly notes: readonly string[];
}

export interface Subject {
  readonly name: string;
  readonly summary: Summary;
}

/** What `npm run bench` is asked for: rows of the issue and of the peers' page. */
export const rowNames = [
  'C',
  'D',
  'E',
  'F',
  'G',
  'H',
  'J',
  'K',
  'L',
  'M',
  'N',
  'O',
  'relay',
  'P',
  'Q',
  'R',
  'S',
  'T',
  'U',
  'V',
  'W',
  'relays64',
  'lookup',
  'members',
  'findable',
  'killed',
  'idle',
] as const;
export type RowName = (typeof rowNames)[number];

export type Unit = 'GB/s' | 'CPU s/GiB' | 'ms' | 's' | 'requests/s' | 'MiB' | '%' | 'x';

/** A mark is judged on the median, of ours or of its ratio. */
export interface Mark {
  readonly of: 'ours' | 'ratio';
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Said besides: a stretch that is not judged. */
  readonly remark?: string;
}

export const oursName = 'ours';

/** Undefined where there is nothing to judge. */
export function isMet({ mark, ratio, subjects }: Line): boolean | undefined {
  if (mark === undefined) return undefined;
  const ours = subjects.find(({ name }) => name === oursName)?.summary;
  const judged = mark.of === 'ratio' ? ratio?.summary : ours;
  if (judged === undefined) return undefined;
  return judged.median >= (mark.atLeast ?? -Infinity) && judged.median <= (mark.atMost ?? Infinity);
}
