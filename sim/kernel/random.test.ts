import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomSuite } from '../../core/conformance/index.ts';
import { createSimRandom } from './random.ts';

randomSuite({
  manifest: { name: 'simulated', supports: {} },
  factory: () => ({ seeded: (seed) => createSimRandom(7).fork(seed) }),
  test,
  assert,
  pause: () => Promise.resolve(),
});

test('random: what one label draws does not change what another does', () => {
  const alone = createSimRandom(5).fork('store:n3');
  const random = createSimRandom(5);
  const beside = random.fork('store:n3');
  const drawn = Array.from({ length: 100 }, () => {
    random.fork('link:a>b').below(10);
    return beside.below(1_000);
  });
  assert.deepEqual(
    drawn,
    Array.from({ length: 100 }, () => alone.below(1_000)),
  );
});

test('random: exponential times have the mean, the spread and the tails that they should, and are the same on every machine', () => {
  const random = createSimRandom(11);
  const drawn = Array.from({ length: 100_000 }, () => random.exponentialUs(1_000_000));
  const share = (from: number, to: number): number =>
    drawn.filter((timeUs) => timeUs >= from * 1_000_000 && timeUs < to * 1_000_000).length / drawn.length;
  const mean = drawn.reduce((sum, timeUs) => sum + timeUs, 0) / drawn.length;
  assert.ok(Math.abs(mean - 1_000_000) < 12_000, `mean ${mean}`);
  // 1 - 1/e, 1/e - 1/e^2, and beyond 5: four deviations each.
  assert.ok(Math.abs(share(0, 1) - 0.632_12) < 0.006, `below the mean: ${share(0, 1)}`);
  assert.ok(Math.abs(share(1, 2) - 0.232_54) < 0.006, `up to twice: ${share(1, 2)}`);
  assert.ok(Math.abs(share(5, Infinity) - 0.006_74) < 0.001, `beyond five times: ${share(5, Infinity)}`);
  assert.ok(Math.abs(share(0, 0.01) - 0.009_95) < 0.0013, `next to nothing: ${share(0, 0.01)}`);
  assert.deepEqual(drawn.slice(0, 3), [300_485, 562_706, 2_379_917]);
});
