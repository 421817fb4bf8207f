import assert from 'node:assert/strict';
import { test } from 'node:test';
import { image, megabyte, see, second } from '../faults/testing/see.ts';

test('uneven nodes: each has its own cable and processor', async () => {
  for (const [uneven, takes] of [
    [{ node: 1, upBytesPerSecond: 10 * megabyte }, 5],
    [{ node: 0, downBytesPerSecond: 10 * megabyte }, 5],
    [{ node: 0, mirrorBytesPerSecond: 20 * megabyte }, 2.5],
    [{ node: 2, upBytesPerSecond: megabyte, downBytesPerSecond: megabyte, mirrorBytesPerSecond: megabyte }, 0.5],
  ] as const) {
    const { outcome, seconds } = await see([], { cluster: { uneven: [uneven] } });
    assert.equal(outcome, 'ok');
    assert.ok(seconds > takes && seconds < takes * 1.1 + 0.1, `${JSON.stringify(uneven)}: ${seconds} s, not ${takes}`);
  }
});

test('between zones: all that goes from one to the other shares what there is, each way, and what stays inside does not', async () => {
  const cluster = { zones: 2, zoneOf: ['a', 'b', 'a', 'b'], zoneBytesPerSecond: 20 * megabyte };
  const pull = (atUs: number, node: number) => ({ atUs, node, image: image.name });
  const across = await see([], { nodes: 4, cluster, pulls: [pull(second, 1), pull(20 * second, 0)] });
  assert.ok(across.seconds > 2.5 && across.seconds < 2.8, `${across.seconds} s`);
  const inside = await see([], { nodes: 4, cluster, pulls: [pull(second, 1), pull(20 * second, 3)] });
  assert.ok(inside.seconds < 0.7, `${inside.seconds} s`);
  const both = [pull(second, 1), pull(20 * second, 0), pull(20 * second, 2)];
  const shared = await see([], { nodes: 4, cluster, pulls: both });
  assert.ok(shared.seconds > 4.5, `${shared.seconds} s: two at once over the same 20 MB/s`);
});
