import type { Random } from '../../core/index.ts';

/** What the simulator draws with: the core's port, and what scenarios need besides. Integers only, so that every machine draws the same. */
export interface SimRandom extends Random {
  fork(label: string): SimRandom;
  /** True in `numerator` of `denominator` cases. */
  chance(numerator: number, denominator: number): boolean;
  /** An integer in [low, high]. */
  between(low: number, high: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
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
