import assert from 'node:assert/strict';
import { until } from '../../testbed/index.ts';
import type { PlacedImage, TestbedNode } from '../../testbed/index.ts';
import { largestOf, sizeOf } from './law.ts';
import type { Law, Scene } from './law.ts';

const largeLayers: readonly number[] = [40_000_000];
/** Slow enough that the middle of a layer can be seen, and that a fault takes effect before its end: nearly 7 s for all of it. */
const holderBytesPerSecond = 6_000_000;
const middleBytes = 6_000_000;
/** A refused dial costs nothing; a machine that does much else is slow. */
const withoutMirrorMs = 10_000;

/** Begins a pull on the second node of what the first has, and waits for the middle of its layer. */
async function pullHalfway(scene: Scene): Promise<{ readonly image: PlacedImage; readonly pull: Promise<unknown> }> {
  const image = await scene.heldImage(largeLayers);
  await scene.links.shape(scene.node(0), holderBytesPerSecond);
  const pull = scene.node(1).pull(image.name, { timeoutMs: 90_000 });
  pull.catch(() => undefined);
  const { digest, sizeBytes } = largestOf(image);
  await until('it is in mid-body', async () => {
    const bytes = await scene.node(1).receivedBytes(digest);
    assert.ok(bytes < sizeBytes, 'the layer was there before anything could happen to it');
    return bytes >= middleBytes;
  });
  return { image, pull };
}

/** The pull ends well, and nothing that had come was asked for again. */
async function assertGoesOn(
  scene: Scene,
  node: TestbedNode,
  { image, pull }: { image: PlacedImage; pull: Promise<unknown> },
): Promise<void> {
  await pull;
  assert.ok(await node.holds(image));
  const bytes = await scene.upstream.bytesServed();
  assert.ok(
    bytes > 0 && bytes <= sizeOf(image) - middleBytes / 2,
    `the upstream gave ${bytes} of ${sizeOf(image)} bytes`,
  );
}

export const faultLaws: readonly Law[] = [
  {
    name: "fault: the holder's mirror is killed and starts again: it is found with all that its store has",
    prove: async (scene) => {
      const image = await scene.heldImage();
      await scene.node(0).mirror.kill();
      await scene.node(0).mirror.start();
      await scene.untilFound(scene.node(1), image);
      await scene.upstream.cut();
      await scene.node(1).pull(image.name);
      await scene.assertFromMembers(scene.node(1), image);
    },
  },
  {
    name: 'fault: the own mirror is gone: the upstream is asked at once',
    needs: ['stays-dead'],
    prove: async (scene) => {
      const image = await scene.heldImage();
      await scene.node(1).mirror.kill();
      const { tookMs } = await scene.node(1).pull(image.name);
      assert.equal(await scene.upstream.bytesServed(), sizeOf(image));
      assert.ok(tookMs < withoutMirrorMs, `${tookMs} ms`);
    },
  },
  {
    name: "fault: the holder's mirror stands still: another holder or the upstream serves",
    needs: ['freeze'],
    prove: async (scene) => {
      const image = await scene.heldImage();
      await scene.node(0).mirror.freeze();
      await scene.node(1).pull(image.name);
      assert.ok(await scene.node(1).holds(image));
    },
  },
  {
    name: "fault: the holder's mirror is killed in mid-body: the pull goes on at the next byte",
    needs: ['links'],
    prove: async (scene) => {
      const begun = await pullHalfway(scene);
      await scene.node(0).mirror.kill();
      await assertGoesOn(scene, scene.node(1), begun);
    },
  },
  {
    name: "fault: the holder's cable is cut in mid-body: the pull goes on at the next byte",
    needs: ['links'],
    prove: async (scene) => {
      const begun = await pullHalfway(scene);
      await scene.links.cut(scene.node(0));
      await assertGoesOn(scene, scene.node(1), begun);
    },
  },
  {
    name: 'fault: the own mirror is killed in mid-body: the pull goes on at the next byte',
    needs: ['links'],
    prove: async (scene) => {
      const begun = await pullHalfway(scene);
      await scene.node(1).mirror.kill();
      await assertGoesOn(scene, scene.node(1), begun);
    },
  },
  {
    name: 'fault: containerd restarts on the holder: what it has is served again',
    needs: ['containerd'],
    prove: async (scene) => {
      const image = await scene.heldImage();
      await scene.node(0).containerd.restart();
      await scene.upstream.cut();
      await scene.node(1).pull(image.name);
      await scene.assertFromMembers(scene.node(1), image);
    },
  },
  {
    name: 'fault: the upstream is slow: a member is not',
    prove: async (scene) => {
      const image = await scene.heldImage();
      // All of it would take six minutes.
      await scene.upstream.limit(10_000);
      await scene.node(1).pull(image.name);
      await scene.assertFromMembers(scene.node(1), image);
    },
  },
];
