import type { Random } from '../../core/index.ts';

/** What the simulator draws with: the core's port, and what scenarios need besides. Integers only, so that every machine draws the same. */
export interface SimRandom extends Random {
  fork(label: string): SimRandom;
  /** True in `numerator` of `denominator` cases. */
  chance(numerator: number, denominator: number): boolean;
  /** An integer in [low, high]. */
  between(low: number, high: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
  /** A time between two of many independent things that happen once in `meanUs` on average: whole microseconds. */
  exponentialUs(meanUs: number): number;
}

/** A stream of chance (mulberry32) whose substreams are found by label: one more draw here changes nothing there. */
export function createSimRandom(seed: number): SimRandom {
  const state = { value: seed >>> 0 };
  const below = (bound: number): number => {
    state.value = (state.value + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state.value ^ (state.value >>> 15), state.value | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * bound);
  };
  const between = (low: number, high: number): number => low + below(high - low + 1);
  return {
    below,
    between,
    exponentialUs: (meanUs) => exponential(below, meanUs),
    chance: (numerator, denominator) => below(denominator) < numerator,
    fork: (label) => createSimRandom(seedOf(seed, label)),
    pick: (items) => items[below(items.length)] ?? items[0],
  };
}

function seedOf(seed: number, label: string): number {
  let hash = seed ^ 0x811c9dc5;
  for (let index = 0; index < label.length; index += 1) hash = Math.imul(hash ^ label.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/**
 * -ln(u) of a uniform u in (0, 1]: u is halved a number of times (a coin each), and what is left lies in (1/2, 1], where the table with straight lines between
 * its places is exact to one part in ten thousand. `Math.log` is not the same on every engine.
 */
function exponential(below: (bound: number) => number, meanUs: number): number {
  const halvings = Math.clz32(below(4_294_967_296));
  const place = below(32);
  const low = logarithms[place] ?? 0;
  const high = logarithms[place + 1] ?? low;
  const units = halvings * logarithmOfTwo + low + ((high - low) * below(65_536)) / 65_536;
  return Math.floor((meanUs * units) / unit);
}

const unit = 1_048_576;
const logarithmOfTwo = 726_817;
/** -ln(1 - i/64) for i from 0 to 32, in 2^-20. */
const logarithms: readonly number[] = [
  0, 16513, 33291, 50341, 67674, 85297, 103222, 121458, 140018, 158912, 178152, 197752, 217726, 238087, 258852, 280036,
  301657, 323733, 346284, 369330, 392895, 417001, 441674, 466942, 492835, 519382, 546619, 574583, 603313, 632852,
  663248, 694551, 726817,
];
