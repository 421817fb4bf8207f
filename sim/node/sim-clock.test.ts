import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockSuite } from '../../core/conformance/index.ts';
import { Kernel } from '../kernel/kernel.ts';
import { Life } from '../kernel/life.ts';
import { createSimClock } from './sim-clock.ts';

for (const drain of ['immediate', 'tick'] as const) {
  // One kernel for all laws: time goes on from one to the next.
  const kernel = new Kernel({ drain });
  clockSuite({
    manifest: { name: `simulated, ${drain}`, supports: {} },
    factory: () => {
      const life = new Life(kernel);
      return {
        clock: createSimClock(kernel, life, { offsetUs: 0 }),
        pending: () => life.pending,
      };
    },
    test,
    assert,
    pause: async () => {
      kernel.schedule(2_000, () => undefined);
      await kernel.run({ untilUs: kernel.nowUs() + 2_000 });
    },
  });
}

test('clock: the wall clock of a machine is as far off as its world says, and monotonic time is not', async () => {
  const kernel = new Kernel();
  const wall = { offsetUs: 0 };
  const clock = createSimClock(kernel, new Life(kernel), wall);
  kernel.schedule(1_000, () => {
    wall.offsetUs = -3_600_000_000;
  });
  const beforeUs = clock.wallUs();
  await kernel.run({ untilUs: 5_000 });
  assert.equal(clock.wallUs() - beforeUs, 1_000 - 3_600_000_000);
  assert.equal(clock.nowUs(), 1_000);
});
