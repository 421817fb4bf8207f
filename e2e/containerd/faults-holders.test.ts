import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../../core/index.ts';
import type { NetnsNode } from '../../testbed/index.ts';
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
  watchGrowth,
} from './faults-fixture.ts';
import type { FaultImage, Scene } from './faults-fixture.ts';

const layerBytes = 40_000_000;
const tenLayers = Array.from({ length: 10 }, (_, at) => 1_000_000 + at);
/** A stall is seen within its bound; twice that is the bound on real parts. */
const flowsAgainWithinMs = (2 * defaultLimits.stallTimeoutUs) / 1000;
/** After a stall other holders are looked for as long again before the client is sent elsewhere. */
const endsWithinMs = 2 * flowsAgainWithinMs;
/** The first object that a dead member is asked for costs a time-out, and the later ones nothing: twice the longest. */
const costsAtMostMs = (2 * defaultLimits.manifestTimeoutUs) / 1000;

/** Begins a pull from `near`, lets the fault happen in mid-blob, and waits for the pull: the longest time without a byte. */
async function breakHalfway(scene: Scene, image: FaultImage, fault: () => Promise<void> | void): Promise<number> {
  const { asker, near } = scene;
  await near.setRate(holderRate);
  const growth = watchGrowth(asker, image);
  const pull = beginPull(asker, image);
  await untilReceived(asker, image, midBlobBytes);
  await fault();
  await pull;
  return growth.longestMs();
}

/** Nothing that is sent to or by the node arrives meanwhile, and nobody is told. */
async function withoutPackets<T>(node: NetnsNode, during: () => Promise<T>): Promise<T> {
  const undrop = await node.dropTraffic('all');
  try {
    return await during();
  } finally {
    await undrop();
  }
}

/** Pulls: for every question of containerd's the holder has the answer, and the upstream is asked for nothing. */
async function pullAllFrom(holder: NetnsNode, { asker, upstream }: Scene, image: FaultImage): Promise<number> {
  const earlier = (await asker.mirror.pulls()).length;
  const { tookMs } = await asker.pull(image.name);
  const pulls = (await asker.mirror.pulls()).slice(earlier).filter(({ asker: by }) => by === 'client');
  assert.deepEqual(
    pulls.filter(({ status }) => status !== 200),
    [],
  );
  for (const [digest, { sizeBytes }] of image.blobs) {
    const sources = pulls.filter(({ key, method }) => key === digest && method === 'GET').map((pull) => pull.sources);
    assert.deepEqual(sources, [{ [holder.name]: sizeBytes }], digest);
  }
  assert.equal(await upstream.bytesServed(), 0);
  return tookMs;
}

/** The asker's mirror turned to that member and got nothing from it. */
async function assertFailed(member: string | undefined, { asker }: Scene): Promise<void> {
  const notes = (await asker.mirror.pulls()).flatMap((pull) => pull.notes ?? []);
  assert.ok(
    notes.some((note) => note['failed'] === member),
    JSON.stringify(notes),
  );
}

test('a holder fails, and another goes on', { timeout: 240_000 }, async (context) => {
  const scene = await openScene(context);
  const { asker, far, near, upstream } = scene;
  const law = lawsOf(context, scene);

  await law('frozen in mid-blob: bytes flow again within twice the stall bound, none from upstream', async (inner) => {
    const image = await heldImage(scene, [far, near], [layerBytes]);
    const longestMs = await breakHalfway(scene, image, () => {
      near.mirror.freeze();
    });
    inner.diagnostic(`no byte for ${Math.round(longestMs)} ms`);
    assert.ok(longestMs < flowsAgainWithinMs, `no byte for ${longestMs} ms`);
    const at = await assertWentOn(asker, image, near, far);
    const { notes } = await layerPull(asker, image);
    assert.ok(
      notes?.some((note) => note['stalled'] === near.mirror.peerId && note['at'] === at),
      JSON.stringify(notes),
    );
    assert.equal(await upstream.bytesServed(), 0);
  });

  await law('frozen in mid-blob, nobody else holds it: containerd goes on upstream at the next byte', async (inner) => {
    const image = await heldImage(scene, [near], [layerBytes]);
    const longestMs = await breakHalfway(scene, image, () => {
      near.mirror.freeze();
    });
    inner.diagnostic(`no byte for ${Math.round(longestMs)} ms`);
    assert.ok(longestMs < endsWithinMs, `no byte for ${longestMs} ms`);
    const [first, second] = await layerPulls(asker, image);
    const at = first?.bytes ?? 0;
    assert.deepEqual({ end: first?.end, sources: first?.sources }, { end: 'cut', sources: { [near.name]: at } });
    assert.deepEqual({ range: second?.range, end: second?.end }, { range: `bytes=${at}-`, end: 'not-found' });
    assert.deepEqual((await upstream.counts()).get(image.layer), { requests: 1, bytes: layerBytes - at });
  });

  await law('wedged, it accepts and never answers: every layer comes from the other', async (inner) => {
    const image = await heldImage(scene, [far, near], tenLayers);
    near.mirror.freeze();
    const tookMs = await pullAllFrom(far, scene, image);
    inner.diagnostic(`the pull took ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < costsAtMostMs, `the pull took ${tookMs} ms`);
    await assertFailed(near.mirror.peerId, scene);
  });

  await law('vanished, packets are dropped: every layer comes from the other', async (inner) => {
    const image = await heldImage(scene, [far, near], tenLayers);
    const tookMs = await withoutPackets(near, () => pullAllFrom(far, scene, image));
    inner.diagnostic(`the pull took ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < costsAtMostMs, `the pull took ${tookMs} ms`);
    await assertFailed(near.mirror.peerId, scene);
  });

  await law('killed in mid-blob with the upstream down: five times of five the other goes on', async (inner) => {
    for (const round of [1, 2, 3, 4, 5]) {
      const image = await heldImage(scene, [far, near], [layerBytes]);
      await upstream.cut('refused');
      await breakHalfway(scene, image, () => near.mirror.kill());
      inner.diagnostic(`round ${round}: on at ${await assertWentOn(asker, image, near, far)}`);
      await upstream.restore();
      assert.equal(await upstream.bytesServed(), 0);
      await near.setRate(undefined);
      await startNear(near);
      await untilMembers(near.mirror, 2);
    }
  });

  await law('dead before the pull: of ten layers none comes from upstream', async () => {
    const image = await heldImage(scene, [far, near], tenLayers);
    await near.mirror.kill();
    await pullAllFrom(far, scene, image);
    await assertFailed(near.mirror.peerId, scene);
  });

  await law('unplugged in mid-body: bytes flow again within twice the stall bound', async (inner) => {
    const image = await heldImage(scene, [far, near], [layerBytes]);
    const longestMs = await breakHalfway(scene, image, () => near.unplug());
    inner.diagnostic(`no byte for ${Math.round(longestMs)} ms`);
    assert.ok(longestMs < flowsAgainWithinMs, `no byte for ${longestMs} ms`);
    await assertWentOn(asker, image, near, far);
    assert.equal(await upstream.bytesServed(), 0);
  });

  await law('killed while the upstream has become a black hole: the other has everything', async () => {
    const image = await heldImage(scene, [far, near], [layerBytes, ...tenLayers]);
    await breakHalfway(scene, image, async () => {
      await upstream.cut('black-hole');
      await near.mirror.kill();
    });
    await assertWentOn(asker, image, near, far);
    await upstream.restore();
    assert.equal(await upstream.bytesServed(), 0);
  });
});
