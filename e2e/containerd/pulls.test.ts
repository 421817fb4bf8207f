import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNetnsCluster } from '../../testbed/index.ts';

test('pull: without a mirror, a node gets every byte from the upstream', async (context) => {
  const cluster = await startNetnsCluster({ nodes: 1 });
  context.after(() => cluster.close());
  const image = await cluster.upstream.addImage({ name: 'team/app:1.0', layers: [{ sizeBytes: 5_000_000 }] });
  await cluster.node(0).pull(image.name);
  const total = [...image.blobs.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  assert.equal(await cluster.upstream.bytesServed(), total);
  assert.deepEqual(await cluster.node(0).content.blobs(), [...image.blobs.keys()].sort());
});
