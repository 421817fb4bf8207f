import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { createArtifact } from '../../testbed/index.ts';
import { openFixture, sizeOf } from './cluster-fixture.ts';

test('pull: with the upstream cut, a node gets every byte from a peer, by tag, by digest, and by both', async (context) => {
  const { cluster, image, node, pullOn, untilFound, upstream } = await openFixture(context, { nodes: 4 });
  await pullOn(0);
  assert.equal(upstream.bytesServed(), sizeOf(image), 'one copy');
  await upstream.cut();
  const { registry, repository, root } = image;
  const references = [image.name, `${registry}/${repository}@${root.digest}`, `${image.name}@${root.digest}`];
  for (const [at, reference] of references.entries()) {
    await untilFound(at + 1);
    const result = await pullOn(at + 1, { reference });
    assert.equal(result.digest, root.digest);
    assert.deepEqual(
      result.bytesByHost,
      { mirror: sizeOf(image), upstream: 0 },
      `${reference} on ${node(at + 1).name}`,
    );
  }
  assert.equal(cluster.nodes.length, 4);
});

test('pull: nobody has it: the upstream serves it, and the mirror said so fast', async (context) => {
  const { image, pullOn, upstream } = await openFixture(context);
  const result = await pullOn(1);
  assert.deepEqual(result.bytesByHost, { mirror: 0, upstream: sizeOf(image) });
  assert.equal(upstream.bytesServed(), sizeOf(image));
});

test('pull: artifacts of any media type are served: JSON, CSV, empty blobs, weights', async (context) => {
  const image = await createArtifact({
    name: 'registry.example/models/tiny:v1',
    artifactType: 'application/vnd.example.model.v1',
    files: [
      { title: 'model.json', mediaType: 'application/json', content: '[1,2,3]' },
      { title: 'labels.csv', mediaType: 'text/csv', content: 'id,label\n1,cat\n' },
      { title: 'empty', mediaType: 'application/octet-stream', content: '' },
      { title: 'weights', mediaType: 'application/vnd.example.weights', sizeBytes: 3_000_000 },
    ],
  });
  const { pullOn, untilFound, upstream } = await openFixture(context, { image, nodes: 2 });
  await pullOn(0);
  await upstream.cut();
  await untilFound(1);
  const result = await pullOn(1);
  assert.equal(result.bytesByHost.upstream, 0);
  assert.equal(result.digest, image.root.digest);
});

test('pull: eight requests at once for one key with one holder: none is answered 404', async (context) => {
  const { ask, image, pullOn, until } = await openFixture(context, { layersMiB: [1] });
  await pullOn(0);
  const digests = [...image.blobs.keys()].filter((digest) => digest !== image.root.digest);
  const paths = digests.map((digest) => `/v2/${image.repository}/blobs/${digest}?ns=${image.registry}`);
  await until(async () => (await ask(1, paths[0] ?? '', { method: 'HEAD' })).status === 200);
  for (const path of paths) {
    await until(async () => (await ask(1, path, { method: 'HEAD' })).status === 200);
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(1, path)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(8).fill(200),
    );
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  }
});

test('filter: a filtered tag is answered 404 and nothing is looked up, content is served under its other names', async (context) => {
  const { ask, events, image, pullOn } = await openFixture(context, {
    nodes: 2,
    node: () => ({ filter: { registryFilters: ['^registry\\.example/.+:1\\.0$'] } }),
  });
  await pullOn(0);
  const answer = await ask(0, `/v2/${image.repository}/manifests/${image.tag}?ns=${image.registry}`);
  assert.equal(answer.status, 404);
  const other = await ask(1, `/v2/${image.repository}/manifests/${image.tag}?ns=${image.registry}`);
  assert.equal(other.status, 404);
  assert.deepEqual(
    events[1]?.map(({ type }) => type),
    ['start', 'end'],
  );
});

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

test('IPv6: a cluster on ::1 feeds itself', { skip: hasIpv6 ? false : 'this machine has no ::1' }, async (context) => {
  const { image, node, pullOn, untilFound, upstream } = await openFixture(context, {
    nodes: 2,
    host: '::1',
  });
  assert.match(node(0).url, /^http:\/\/\[::1\]:\d+$/);
  await pullOn(0);
  await upstream.cut();
  await untilFound(1);
  const result = await pullOn(1);
  assert.deepEqual(result.bytesByHost, { mirror: sizeOf(image), upstream: 0 });
});
