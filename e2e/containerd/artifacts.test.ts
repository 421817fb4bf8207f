import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { until } from '../../testbed/index.ts';
import { read, sizeOf, sourcesOf, urlOf } from './asking.ts';
import { openCluster } from './cluster-fixture.ts';

/** Content that a guess at its media type would call text, or nothing at all. */
const files: readonly { readonly mediaType: string; readonly title: string; readonly content: string | Uint8Array }[] =
  [
    { mediaType: 'application/json', title: 'config.json', content: '{"temperature": 0.7, "stop": []}\n' },
    { mediaType: 'text/csv', title: 'labels.csv', content: 'id,label\n1,cat\n2,dog\n' },
    { mediaType: 'text/plain', title: 'words.txt', content: 'yksi\nkaksi\nkolme\n' },
    { mediaType: 'application/vnd.cncf.helm.config.v1+json', title: 'list.json', content: '["a", "b"]' },
    {
      mediaType: 'application/octet-stream',
      title: 'weights.bin',
      content: Uint8Array.from([0, 255, 31, 139, 8, 0, 7]),
    },
    { mediaType: 'application/vnd.example.model', title: 'one.bin', content: Uint8Array.from([0]) },
  ];

test('artifact: blobs of JSON, CSV, lists and a few bytes come from the holder through CRI, as image volumes pull them', async (context) => {
  const cluster = await openCluster(context, { nodes: 2, mirrors: {} });
  const [holder, asker] = [cluster.node(0), cluster.node(1)];
  const artifactType = 'application/vnd.example.model.v1';
  const artifact = await cluster.upstream.addArtifact({ name: 'models/small:1.0', artifactType, files });
  await holder.pull(artifact.name);
  await cluster.untilFound(asker, artifact);
  await cluster.upstream.cut('refused');
  await cluster.upstream.resetCounts();
  await asker.pull(artifact.name);
  assert.deepEqual(await sourcesOf(asker, artifact), { [holder.name]: sizeOf(artifact) });
  assert.equal(await cluster.upstream.bytesServed(), 0);
  for (const digest of artifact.blobs.keys()) {
    const [theirs, ours] = await Promise.all([holder, asker].map(({ content }) => readFile(content.blobPath(digest))));
    assert.ok(theirs !== undefined && ours?.equals(theirs), digest);
  }
  // Each is served to anybody by its digest, with its own bytes.
  await holder.mirror.kill();
  await until('the asker serves them itself', async () => {
    const answers = await Promise.all(
      [...artifact.blobs.keys()].map((digest) => read(urlOf(asker, artifact, `blobs/${digest}`))),
    );
    return answers.every(({ digest, status }) => status === 200 && artifact.blobs.has(digest));
  });
});
