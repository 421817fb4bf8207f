import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { open, truncate } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { defaultLimits } from '../../core/index.ts';
import { until } from '../../testbed/index.ts';
import type { NetnsNode } from '../../testbed/index.ts';
import {
  assertWentOn,
  beginPull,
  heldImage,
  holderRate,
  lawsOf,
  layerPulls,
  midBlobBytes,
  openScene,
  untilReceived,
} from './faults-fixture.ts';
import type { FaultImage, Scene } from './faults-fixture.ts';

const layerBytes = 40_000_000;

function urlOf(node: NetnsNode, { registry, repository, layer }: FaultImage): string {
  return `${node.registryUrl}/v2/${repository}/blobs/${layer}?ns=${registry}`;
}

/** Other mirrors get it from this node no longer. */
async function untilWithdrawn(node: NetnsNode, image: FaultImage): Promise<void> {
  const headers = { 'x-spegel-mirrored': 'true' };
  await until(`${node.name} serves the layer no longer`, async () => {
    return (await fetch(urlOf(node, image), { method: 'HEAD', headers })).status === 404;
  });
  await until(`${node.name} has taken it back`, async () => {
    return ((await node.mirror.metrics()).value('peili_withdrawn_keys_total') ?? 0) > 0;
  });
}

/** A bad disk: one byte of the file is another one. */
async function flipByte(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] = 0xff ^ (byte[0] ?? 0);
    await file.write(byte, 0, 1, at);
  } finally {
    await file.close();
  }
}

/** Reads the layer as a client that is no containerd; stops once in the middle and goes on when `meanwhile` is done. */
async function readSlowly(url: string, pauseAt: number, meanwhile: () => Promise<void>): Promise<string> {
  const { body, status } = await fetch(url);
  assert.equal(status, 200);
  assert.ok(body !== null);
  const hash = createHash('sha256');
  const state = { bytes: 0, paused: false };
  for await (const chunk of body) {
    hash.update(chunk);
    state.bytes += chunk.byteLength;
    if (state.paused || state.bytes < pauseAt) continue;
    state.paused = true;
    await meanwhile();
  }
  return `sha256:${hash.digest('hex')}`;
}

/** Begins a pull from `near`, to whose content it happens in mid-blob. Resolves with how much had come when it had happened. */
async function breakHalfway({ asker, near }: Scene, image: FaultImage, fault: () => Promise<void>): Promise<number> {
  await near.setRate(holderRate);
  const pull = beginPull(asker, image);
  await untilReceived(asker, image, midBlobBytes);
  await fault();
  const receivedBytes = await asker.content.receivedBytes(image.layer);
  await pull;
  return receivedBytes;
}

/** The holder has said so: its log is written a moment after what is told in it. */
function untilReadingFailed({ mirror }: NetnsNode): Promise<void> {
  return until('the holder tells that it could not read', async () => {
    return (await mirror.lines()).some(({ msg }) => msg === 'reading the content store failed');
  });
}

test('content goes wrong at its holder', { timeout: 240_000 }, async (context) => {
  const scene = await openScene(context);
  const { asker, far, near, upstream } = scene;
  const law = lawsOf(context, scene);

  await law('one flipped byte: a try a second later succeeds, the holder is named and withdraws its file', async () => {
    const image = await heldImage(scene, [near], [layerBytes]);
    await flipByte(near.content.blobPath(image.layer), layerBytes / 2);
    const first = await asker.pull(image.name).then(
      () => 'pulled',
      () => 'failed',
    );
    if (first === 'failed') {
      await pause(1000);
      await asker.pull(image.name);
    }
    assert.deepEqual((await upstream.counts()).get(image.layer), { requests: 1, bytes: layerBytes });

    const notes = (await layerPulls(asker, image)).flatMap((pull) => pull.notes ?? []);
    assert.ok(
      notes.some((note) => note['liar'] === near.mirror.peerId),
      JSON.stringify(notes),
    );
    await untilWithdrawn(near, image);
    const said = (await near.mirror.lines()).filter(({ msg }) => msg?.startsWith('own content does not match'));
    assert.deepEqual(
      said.map((line) => line['digest']),
      [image.layer],
    );

    // Who comes now gets it from the one that is right.
    await scene.cluster.untilFound(far, image);
    await upstream.resetCounts();
    await far.pull(image.name);
    const [pull] = await layerPulls(far, image);
    assert.deepEqual(pull?.sources, { [asker.name]: layerBytes });
    assert.equal(await upstream.bytesServed(), 0);
  });

  await law('a local file cut short in mid-body: the body goes on from a peer, to the byte', async () => {
    const image = await heldImage(scene, [far, near], [64_000_000]);
    const leftBytes = image.layerBytes / 2;
    const digest = await readSlowly(urlOf(near, image), 4_000_000, () =>
      truncate(near.content.blobPath(image.layer), leftBytes),
    );
    assert.equal(digest, image.layer);
    const pull = (await layerPulls(near, image)).at(-1);
    assert.deepEqual(pull?.sources, { local: leftBytes, [far.name]: image.layerBytes - leftBytes });
    assert.equal(pull.end, 'complete');
    await untilReadingFailed(near);
    assert.equal(await upstream.bytesServed(), 0);
    await untilWithdrawn(near, image);
  });

  await law(
    "a holder's file cut short in mid-body: containerd's pull goes on from the other, none from upstream",
    async () => {
      const image = await heldImage(scene, [far, near], [layerBytes]);
      const receivedBytes = await breakHalfway(scene, image, () =>
        truncate(near.content.blobPath(image.layer), midBlobBytes),
      );
      const at = await assertWentOn(asker, image, near, far);
      assert.ok(at <= receivedBytes + defaultLimits.windowBytes, `${at} after ${receivedBytes}`);
      await untilReadingFailed(near);
      assert.equal(await upstream.bytesServed(), 0);
      await untilWithdrawn(near, image);
    },
  );

  await law('removed while it is served, with another holder: that one goes on, nothing from upstream', async () => {
    const image = await heldImage(scene, [far, near], [layerBytes]);
    await breakHalfway(scene, image, () => near.removeImage(image.name));
    await assertWentOn(asker, image, near, far);
    assert.equal(await upstream.bytesServed(), 0);
    await untilWithdrawn(near, image);
  });

  await law('removed while it is served, with no other holder: the upstream goes on at the next byte', async () => {
    const image = await heldImage(scene, [near], [layerBytes]);
    await breakHalfway(scene, image, () => near.removeImage(image.name));
    const [first] = await layerPulls(asker, image);
    const at = first?.sources[near.name] ?? 0;
    assert.equal(first?.end, 'cut');
    assert.ok(at >= midBlobBytes - defaultLimits.windowBytes && at < layerBytes, `${at}`);
    assert.deepEqual((await upstream.counts()).get(image.layer), { requests: 1, bytes: layerBytes - at });
  });
});
