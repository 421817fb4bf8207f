/** What a table shows of repeated measurements: the median, and how far they went apart. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new TypeError('nothing was measured');
  return {
    median: percentile(values, 50),
    min: Math.min(...values),
    max: Math.max(...values),
    count: values.length,
  };
}

/** By the nearest rank; of an even number of values the median is the mean of the two in the middle. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, index))] ?? Number.NaN;
  if (percent === 50 && sorted.length % 2 === 0) return (at(sorted.length / 2 - 1) + at(sorted.length / 2)) / 2;
  return at(Math.ceil((percent / 100) * sorted.length) - 1);
}

/** Each value over the one that was measured in the same round. */
export function ratios(values: readonly number[], baselines: readonly number[]): number[] {
  return values.flatMap((value, round) => {
    const baseline = baselines[round];
    return baseline === undefined ? [] : [value / baseline];
  });
}
