import type { Random } from '../ports/index.ts';

/** Chance from a seed, for tests: a 32-bit generator (mulberry32) whose forks are seeded by label. */
export function createSeededRandom(seed: number): Random {
  const state = { value: seed >>> 0 };
  return {
    below: (bound) => {
      state.value = (state.value + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state.value ^ (state.value >>> 15), state.value | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
    },
    fork: (label) => {
      let hash = seed ^ 0x811c9dc5;
      for (let index = 0; index < label.length; index += 1) {
        hash = Math.imul(hash ^ label.charCodeAt(index), 0x01000193);
      }
      return createSeededRandom(hash >>> 0);
    },
  };
}
