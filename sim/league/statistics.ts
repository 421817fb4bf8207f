import { createSimRandom } from '../kernel/random.ts';

/** A median, and where it would lie in nineteen of twenty repetitions. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const resamples = 1_000;

/** By the nearest rank; undefined where the sample is too small to carry it: it takes three values beyond the quantile. */
export function quantile(values: readonly number[], share: number): number | undefined {
  if (values.length * Math.min(share, 1 - share) < 3 && share !== 0.5) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/**
 * The median over seeds with its bootstrap band of 95 %. Nodes of one seed are not independent of each other, so seeds are what is drawn again. The same values
 * give the same band.
 */
export function estimate(perSeed: readonly number[]): Estimate {
  const random = createSimRandom(1);
  const middle = median(perSeed);
  if (perSeed.length < 3) return { median: middle, low: Math.min(...perSeed), high: Math.max(...perSeed) };
  const medians = Array.from({ length: resamples }, () => {
    return median(perSeed.map(() => perSeed[random.below(perSeed.length)] ?? middle));
  }).toSorted((a, b) => a - b);
  const at = (share: number): number => medians[Math.floor(share * (resamples - 1))] ?? middle;
  return { median: middle, low: at(0.025), high: at(0.975) };
}

/** What a share of zero in so many tries still allows, in nineteen of twenty cases: three in them. */
export function shareBelow(tries: number): number {
  return Math.min(1, 3 / tries);
}
