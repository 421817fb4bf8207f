import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DrainStrategy } from './drain.ts';
import { Kernel } from './kernel.ts';
import { Life } from './life.ts';

const drains: readonly DrainStrategy[] = ['immediate', 'tick'];

/** Events that plan others and cancel some, and promises that go on between them. */
async function tangle(seeds: readonly number[], drain: DrainStrategy, swaps: readonly number[] = []): Promise<object> {
  const kernel = new Kernel({ drain, swaps });
  const order: string[] = [];
  const begin = (name: string, seed: number): void => {
    order.push(`${kernel.nowUs()} ${name}`);
    if (seed < 8) return;
    const timer = kernel.schedule(seed % 5, () => {
      begin(`${name}a`, seed >> 2);
    });
    void Promise.resolve()
      .then(() => undefined)
      .then(() => {
        order.push(`${kernel.nowUs()} ${name}p`);
        if (seed % 3 === 0) timer.cancel();
        kernel.schedule(
          seed % 4,
          () => {
            begin(`${name}b`, seed >> 3);
          },
          seed % 2,
        );
      });
  };
  seeds.forEach((seed, index) => {
    kernel.schedule(seed % 7, () => {
      begin(String(index), seed);
    });
  });
  const end = await kernel.run({ untilUs: 1_000_000 });
  return { end, order, hash: kernel.hash.digest(), executed: kernel.executed, ties: kernel.ties };
}

test('kernel: both ways of draining, and the same one again, are the same run', async () => {
  const seeds = fc.array(fc.nat(100_000), { minLength: 1, maxLength: 8 });
  const swaps = fc.uniqueArray(fc.nat(20), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(seeds, swaps, async (drawn, swapped) => {
      const run = await tangle(drawn, 'immediate', swapped);
      assert.deepEqual(await tangle(drawn, 'tick', swapped), run);
      assert.deepEqual(await tangle(drawn, 'immediate', swapped), run);
    }),
    { numRuns: 60 },
  );
});

for (const drain of drains) {
  test(`kernel: ${drain}: a promise goes on before the next event, however long its chain is`, async () => {
    const kernel = new Kernel({ drain });
    const order: string[] = [];
    kernel.schedule(1, () => {
      void (async () => {
        for (let step = 0; step < 50; step += 1) await Promise.resolve();
        order.push('chain');
      })();
    });
    kernel.schedule(1, () => order.push('next'));
    await kernel.run({ untilUs: 10 });
    assert.deepEqual(order, ['chain', 'next']);
  });

  test(`kernel: ${drain}: what an event throws ends the run, which rejects with it`, async () => {
    const kernel = new Kernel({ drain });
    const after: number[] = [];
    kernel.schedule(1, () => {
      throw new Error('planted');
    });
    kernel.schedule(2, () => after.push(2));
    await assert.rejects(kernel.run({ untilUs: 10 }), /planted/);
    assert.deepEqual(after, []);
  });

  test(`kernel: ${drain}: a run ends for the reason that it says`, async () => {
    const kernel = new Kernel({ drain });
    kernel.schedule(5, () => undefined);
    kernel.schedule(6, () => {
      kernel.stop();
    });
    kernel.schedule(7, () => undefined);
    kernel.schedule(100, () => undefined);
    assert.equal(await kernel.run({ untilUs: 100, eventsMax: 1 }), 'events');
    assert.equal(await kernel.run({ untilUs: 100 }), 'stopped');
    assert.equal(kernel.nowUs(), 6);
    assert.equal(await kernel.run({ untilUs: 50 }), 'time');
    assert.deepEqual([kernel.nowUs(), kernel.executed, kernel.pending], [50, 3, 1]);
    assert.equal(await kernel.run({ untilUs: 100 }), 'idle');
  });
}

test('kernel: an event is never before the one that planned it, and never at no time', () => {
  const kernel = new Kernel();
  assert.throws(() => kernel.schedule(Infinity, () => undefined), /no time/);
  assert.throws(() => kernel.schedule(Number.NaN, () => undefined), /no time/);
});

async function orderOf(swaps: readonly number[]): Promise<string> {
  const kernel = new Kernel({ swaps });
  const order: string[] = [];
  for (const name of ['a', 'b', 'c']) kernel.schedule(10, () => order.push(name));
  kernel.schedule(11, () => order.push('d'));
  kernel.schedule(11, () => order.push('e'), 1);
  await kernel.run({ untilUs: 100 });
  return `${order.join('')} ${kernel.ties}`;
}

test('swaps: a tie goes the other way, alone or several times; other times and priorities keep their places', async () => {
  assert.equal(await orderOf([]), 'abcde 2');
  assert.equal(await orderOf([0]), 'bacde 2');
  assert.equal(await orderOf([1]), 'acbde 2');
  assert.equal(await orderOf([0, 1]), 'bcade 2');
  assert.equal(await orderOf([2, 3, 99]), 'abcde 2');
});

test('life: what is due while a program stands still happens when it goes on, in its order, unless it was cancelled', async () => {
  const kernel = new Kernel();
  const life = new Life(kernel);
  const order: string[] = [];
  const note = (name: string) => () => {
    order.push(`${kernel.nowUs()} ${name}`);
  };
  life.schedule(10, note('first'));
  const cancelled = life.schedule(11, note('cancelled'));
  kernel.schedule(12, () => {
    life.run(note('packet'));
  });
  life.schedule(13, note('second'));
  life.schedule(40, note('later'));
  kernel.schedule(5, () => {
    life.pause();
  });
  kernel.schedule(20, () => {
    cancelled.cancel();
    cancelled.cancel();
    life.resume();
  });
  await kernel.run({ untilUs: 100 });
  assert.deepEqual(order, ['20 first', '20 packet', '20 second', '40 later']);
  assert.deepEqual([life.pending, kernel.pending], [0, 0]);
});

test('life: of what a program had planned nothing happens once it is gone', async () => {
  const kernel = new Kernel();
  const [gone, other] = [new Life(kernel), new Life(kernel)];
  const order: string[] = [];
  gone.schedule(10, () => order.push('gone'));
  other.schedule(10, () => order.push('other'));
  assert.equal(gone.pending, 1);
  kernel.schedule(5, () => {
    gone.end();
    gone.schedule(1, () => order.push('gone, planned later')).cancel();
  });
  await kernel.run({ untilUs: 100 });
  assert.deepEqual(order, ['other']);
  assert.deepEqual([gone.pending, kernel.pending], [0, 0]);
});
