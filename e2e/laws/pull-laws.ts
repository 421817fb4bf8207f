import assert from 'node:assert/strict';
import type { PlacedImage } from '../../testbed/index.ts';
import { sizeOf } from './law.ts';
import type { Law, Scene } from './law.ts';

const ways: Readonly<Record<string, (image: PlacedImage) => string>> = {
  'by tag': ({ name }) => name,
  'by digest': ({ registry, repository, root }) => `${registry}/${repository}@${root.digest}`,
  'by tag and digest': ({ name, root }) => `${name}@${root.digest}`,
};

/** An image that is nowhere is refused before anybody loses patience. */
const refusedWithinMs = 5000;

async function pullWithoutUpstream(scene: Scene, how: 'refused' | 'black-hole', way: string): Promise<void> {
  const image = await scene.heldImage();
  await scene.upstream.cut(how);
  await scene.node(1).pull(ways[way]?.(image) ?? '');
  await scene.assertFromMembers(scene.node(1), image);
}

async function assertRefused(scene: Scene, reference: string): Promise<void> {
  const startMs = performance.now();
  await assert.rejects(scene.node(1).pull(reference, { timeoutMs: 2 * refusedWithinMs }));
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs < refusedWithinMs, `${tookMs} ms`);
}

export const pullLaws: readonly Law[] = [
  ...Object.keys(ways).map((way) => ({
    name: `pull ${way}: the upstream refuses, and every byte comes from members`,
    prove: (scene: Scene) => pullWithoutUpstream(scene, 'refused', way),
  })),
  ...Object.keys(ways).map((way) => ({
    name: `pull ${way}: packets to the upstream vanish, and every byte comes from members`,
    needs: ['black-hole' as const],
    prove: (scene: Scene) => pullWithoutUpstream(scene, 'black-hole', way),
  })),
  {
    name: 'pull: the upstream stalls, and every byte comes from members',
    prove: async (scene) => {
      const image = await scene.heldImage();
      await scene.upstream.stall();
      await scene.node(1).pull(image.name);
      await scene.assertFromMembers(scene.node(1), image);
    },
  },
  {
    name: 'pull: what nobody has comes from the upstream, once',
    prove: async (scene) => {
      const image = await scene.freshImage();
      await scene.upstream.resetCounts();
      await scene.node(2).pull(image.name);
      assert.ok(await scene.node(2).holds(image));
      assert.equal(await scene.upstream.bytesServed(), sizeOf(image));
      assert.ok((await scene.node(2).images()).includes(image.name));
    },
  },
  {
    name: 'pull: two at once of what one has: every byte comes from members',
    prove: async (scene) => {
      const image = await scene.heldImage();
      await scene.untilFound(scene.node(2), image);
      await scene.upstream.cut();
      await Promise.all([1, 2].map((index) => scene.node(index).pull(image.name)));
      for (const index of [1, 2]) await scene.assertFromMembers(scene.node(index), image);
    },
  },
  {
    name: 'pull: an image that is nowhere fails fast',
    prove: (scene) => assertRefused(scene, `${scene.upstream.registry}/team/nowhere:1.0`),
  },
  {
    name: 'pull: an image that is nowhere fails fast, with the upstream refusing too',
    prove: async (scene) => {
      await scene.upstream.cut();
      await assertRefused(scene, `${scene.upstream.registry}/team/nowhere:2.0`);
    },
  },
  {
    name: 'pull: a tag has moved: by the new digest the new content comes, by the old one the old from members',
    prove: async (scene) => {
      const before = await scene.heldImage();
      const after = await scene.upstream.moveTag(before, { layers: [{ sizeBytes: 400_000 }], seed: 2 });
      assert.notEqual(after.root.digest, before.root.digest);
      await scene.node(1).pull(ways['by digest']?.(before) ?? '');
      await scene.assertFromMembers(scene.node(1), before);
      await scene.node(1).pull(ways['by digest']?.(after) ?? '');
      assert.ok(await scene.node(1).holds(after));
    },
  },
];
