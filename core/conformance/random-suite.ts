import type { Random } from '../ports/index.ts';
import { createHarness } from './harness.ts';
import type { Manifest, Subject, SuiteTools } from './harness.ts';

export interface RandomSubject extends Subject {
  /** The same seed is the same stream. */
  seeded(seed: string): Random;
}

export interface RandomSuiteOptions extends SuiteTools {
  readonly manifest: Manifest<never>;
  readonly factory: () => Promise<RandomSubject> | RandomSubject;
}

function draws(random: Random, count = 20, bound = 1_000_000): number[] {
  return Array.from({ length: count }, () => random.below(bound));
}

/** The laws of `Random`. */
export function randomSuite({ manifest, factory, ...tools }: RandomSuiteOptions): void {
  const { assert, law } = createHarness(tools, 'random', manifest, factory);

  law('below(bound) is a whole number from 0 to bound - 1', async ({ seeded }) => {
    const random = seeded('bounds');
    for (const bound of [1, 2, 3, 10, 1_000, 2 ** 31, 2 ** 32 - 1, 2 ** 32]) {
      for (const value of draws(random, 200, bound)) {
        assert.ok(Number.isInteger(value) && value >= 0 && value < bound, `${value} is below ${bound}`);
      }
    }
    await Promise.resolve();
  });

  law('the same seed gives the same numbers, another seed others', async ({ seeded }) => {
    assert.deepEqual(draws(seeded('one')), draws(seeded('one')));
    assert.ok(draws(seeded('one')).join() !== draws(seeded('two')).join(), 'seeds matter');
    await Promise.resolve();
  });

  law('a fork is the same stream however much its parent has drawn or forked', async ({ seeded }) => {
    const fresh = seeded('parent');
    const used = seeded('parent');
    draws(used, 7);
    used.fork('other');
    draws(used.fork('label'), 3);
    assert.deepEqual(draws(used.fork('label')), draws(fresh.fork('label')));
    assert.deepEqual(draws(used.fork('label').fork('inner')), draws(fresh.fork('label').fork('inner')));
    await Promise.resolve();
  });

  law('forking and drawing from a fork leaves the parent as it was', async ({ seeded }) => {
    const plain = seeded('parent');
    const forking = seeded('parent');
    const numbers = Array.from({ length: 20 }, () => {
      draws(forking.fork('label'), 3);
      return forking.below(1_000_000);
    });
    assert.deepEqual(numbers, draws(plain));
    await Promise.resolve();
  });

  law('streams of different labels, of parent and child, and of nested labels are different', async ({ seeded }) => {
    const random = seeded('parent');
    const streams = [
      random.fork('a'),
      random.fork('b'),
      random.fork('ab'),
      random.fork('a').fork('b'),
      random.fork(''),
      random,
    ];
    assert.equal(new Set(streams.map((stream) => draws(stream).join())).size, streams.length);
    await Promise.resolve();
  });

  law('numbers fall evenly, also over forks', async ({ seeded }) => {
    const random = seeded('even');
    const inOne = draws(random, 16_000, 16);
    const overForks = Array.from({ length: 16_000 }, (_, label) => random.fork(String(label)).below(16));
    for (const numbers of [inOne, overForks]) {
      const counts = Array.from({ length: 16 }, () => 0);
      for (const number of numbers) counts[number] = (counts[number] ?? 0) + 1;
      // Expected 1,000 each with a deviation of 31: six deviations.
      for (const count of counts) assert.ok(Math.abs(count - 1_000) < 190, `${count} of 1,000`);
    }
    await Promise.resolve();
  });
}
