import { createHash, randomBytes } from 'node:crypto';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { Random } from '../../core/index.ts';

/**
 * Chance from a seed: the same seed gives the same draws on every machine. Without one a fresh seed from the system is used.
 * For spreading load and jitter, not for secrets.
 */
export function createRandom(seed?: string): Random {
  return streamOf(
    createHash('sha256')
      .update(seed ?? randomBytes(32))
      .digest(),
  );
}

/** A stream is its key: draws come from a generator that begins there, forks from a hash of it, so neither disturbs the other. */
function streamOf(key: Buffer): Random {
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => key.readInt32LE(offset)));
  return {
    below: (bound) => {
      if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
        throw new RangeError(`a bound is an integer from 1 to 2^32, not ${String(bound)}`);
      }
      return uniformInt(generator, 0, bound - 1);
    },
    fork: (label) => streamOf(createHash('sha256').update(key).update(label).digest()),
  };
}
