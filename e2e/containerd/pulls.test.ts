import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createImage } from '../../testbed/index.ts';
import type { ImageOptions, NetnsClusterOptions, PlacedImage } from '../../testbed/index.ts';
import { openCluster } from './cluster-fixture.ts';

const app: ImageOptions = { name: 'team/app:1.0', layers: [{ sizeBytes: 20_000_000 }, { sizeBytes: 300_000 }] };

/** The three ways to name an image. */
function referencesTo({ name, registry, repository, root }: PlacedImage): Readonly<Record<string, string>> {
  return {
    tag: name,
    digest: `${registry}/${repository}@${root.digest}`,
    'tag and digest': `${name}@${root.digest}`,
  };
}

for (const how of ['refused', 'black-hole'] as const) {
  test(`pull: the upstream is cut (${how}): by tag, by digest and by both, every byte comes from the holder`, async (context) => {
    const cluster = await openCluster(context, { nodes: 4, mirrors: {} });
    const { upstream } = cluster;
    const image = await upstream.addImage(app);
    const holder = cluster.node(0);
    await holder.pull(image.name);
    assert.equal(await upstream.bytesServed(), cluster.sizeOf(image), 'one copy');
    for (const [at, [way, reference]] of Object.entries(referencesTo(image)).entries()) {
      const node = cluster.node(at + 1);
      await cluster.untilFound(node, image);
      if (at === 0) await upstream.cut(how);
      await upstream.resetCounts();
      await node.pull(reference);
      // Each node that has it may be the next one's source.
      const bytes = await node.mirror.bytesBySource();
      const total = Object.values(bytes).reduce((sum, each) => sum + each, 0);
      assert.equal(total, cluster.sizeOf(image), `by ${way}: ${JSON.stringify(bytes)}`);
      assert.deepEqual(
        Object.keys(bytes).filter((source) => !/^node-\d$/.test(source)),
        [],
      );
      assert.deepEqual(await node.content.blobs(), [...image.blobs.keys()].sort());
      assert.equal(await upstream.bytesServed(), 0);
    }
  });
}
