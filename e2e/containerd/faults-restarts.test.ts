import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../../core/index.ts';
import { until } from '../../testbed/index.ts';
import {
  assertWentOn,
  beginPull,
  heldImage,
  holderRate,
  lawsOf,
  layerPull,
  layerPulls,
  midBlobBytes,
  openScene,
  startNear,
  untilMembers,
  untilReceived,
} from './faults-fixture.ts';
import type { FaultImage, Scene } from './faults-fixture.ts';

const mebibyte = 1024 * 1024;
const layerBytes = 40_000_000;

/** Begins a pull from `near` and waits for the middle of its layer. */
async function pullHalfway(
  { asker, near }: Scene,
  image: FaultImage,
  atBytes = midBlobBytes,
  rate = holderRate,
): Promise<{ readonly pull: Promise<unknown> }> {
  await near.setRate(rate);
  const pull = beginPull(asker, image);
  await untilReceived(asker, image, atBytes);
  return { pull };
}

/** The layer came from `near` alone, in one body. */
async function assertAllFromNear({ asker, near, upstream }: Scene, image: FaultImage): Promise<void> {
  const { end, sources } = await layerPull(asker, image);
  assert.deepEqual({ end, sources }, { end: 'complete', sources: { [near.name]: image.layerBytes } });
  assert.equal(await upstream.bytesServed(), 0);
}

test('a holder is restarted', { timeout: 240_000 }, async (context) => {
  const scene = await openScene(context);
  const { asker, far, near, upstream } = scene;
  const law = lawsOf(context, scene);

  await law('its containerd, while the mirror serves: the body goes on, and what comes later is served', async () => {
    const image = await heldImage(scene, [near], [layerBytes]);
    const { pull } = await pullHalfway(scene, image);
    await near.containerd.restart();
    await pull;
    await assertAllFromNear(scene, image);

    await near.setRate(undefined);
    const next = await heldImage(scene, [near], [layerBytes]);
    await asker.pull(next.name);
    await assertAllFromNear(scene, next);
  });

  await law('its containerd is down: what it holds is served all the same', async () => {
    const image = await heldImage(scene, [near], [layerBytes]);
    await near.containerd.kill();
    try {
      await asker.pull(image.name);
      await assertAllFromNear(scene, image);
    } finally {
      await near.containerd.start();
    }
  });

  await law("the asker's own containerd, in mid-body: the next pull has its bytes from the holder", async () => {
    const image = await heldImage(scene, [near], [layerBytes]);
    const { pull } = await pullHalfway(scene, image);
    await asker.containerd.restart();
    await assert.rejects(pull);
    await near.setRate(undefined);
    await asker.pull(image.name);
    await until('both requests have ended', async () => (await layerPulls(asker, image)).length === 2);
    const pulls = await layerPulls(asker, image);
    assert.ok(pulls.some(({ bytes, end }) => end === 'complete' && bytes > 0));
    assert.equal(await upstream.bytesServed(), 0);
  });

  await law('its mirror, between two pulls: what it held before is found again', async () => {
    const image = await heldImage(scene, [near], [layerBytes]);
    assert.equal(await near.mirror.stop(), 0);
    await startNear(near);
    await untilMembers(near.mirror, 2);
    await scene.cluster.untilFound(asker, image);
    await asker.pull(image.name);
    await assertAllFromNear(scene, image);
  });

  await law(
    'drained in mid-body of 256 MiB, with another holder: that one goes on, nothing from upstream',
    async () => {
      const image = await heldImage(scene, [far, near], [256 * mebibyte]);
      const { pull } = await pullHalfway(scene, image, 64 * mebibyte, 4 * holderRate);
      const startMs = performance.now();
      assert.equal(await near.mirror.stop((2 * defaultLimits.drainTimeoutUs) / 1000), 0);
      assert.ok(performance.now() - startMs < defaultLimits.drainTimeoutUs / 1000);
      await pull;
      await assertWentOn(asker, image, near, far);
      assert.equal(await upstream.bytesServed(), 0);
    },
  );

  await law('drained in mid-body of 256 MiB, with no other: the rest comes from it or from upstream', async (inner) => {
    const image = await heldImage(scene, [near], [256 * mebibyte]);
    const { pull } = await pullHalfway(scene, image, 64 * mebibyte, 4 * holderRate);
    assert.equal(await near.mirror.stop((2 * defaultLimits.drainTimeoutUs) / 1000), 0);
    await pull;
    const bytes = (await layerPulls(asker, image)).reduce((sum, { sources }) => sum + (sources[near.name] ?? 0), 0);
    inner.diagnostic(`${bytes} bytes from the holder`);
    const rest = image.layerBytes - bytes;
    assert.deepEqual((await upstream.counts()).get(image.layer), rest > 0 ? { requests: 1, bytes: rest } : undefined);
  });
});
