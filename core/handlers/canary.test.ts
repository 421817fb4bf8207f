import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canaryRegistry, createCanaryImage } from '../canary/canary-image.ts';
import { createRegistryFilter } from '../filters/registry-filter.ts';
import { assertAtRest } from '../testing/assertions.ts';
import { testBlob } from '../testing/blob.ts';
import { createSha256Digester } from '../testing/sha256-digester.ts';
import { createTestNode } from '../testing/test-node.ts';
import type { ClientHabits, Outcome, TestNode, TestNodeOptions } from '../testing/test-node.ts';

const image = createCanaryImage(createSha256Digester(), 'arm64', 'n0nce0001');
const manifestTarget = `/v2/${image.repository}/manifests/${image.manifest.digest}?ns=${canaryRegistry}`;
const blobTarget = (digest: string): string => `/v2/${image.repository}/blobs/${digest}?ns=${canaryRegistry}`;

const ask = (node: TestNode, target: string, habits?: ClientHabits): Promise<Outcome> =>
  node.clock.settle(node.request(target, habits));

/** A node whose peers would give anything: what it asks them is seen. */
function nodeWith(options: TestNodeOptions = {}): TestNode {
  const node = createTestNode(options);
  node.holders({ peer: {} });
  return node;
}

test('canary: manifest, config and layer are answered from nothing, as containerd asks for them', async () => {
  const node = nodeWith();
  const head = await ask(node, manifestTarget, { method: 'HEAD' });
  assert.deepEqual(
    [head.status, head.headers['content-type'], head.headers['docker-content-digest'], head.bytes.byteLength],
    [200, image.manifest.mediaType, image.manifest.digest, 0],
  );
  assert.deepEqual((await ask(node, manifestTarget)).bytes, image.manifest.bytes);
  for (const { bytes, digest } of [image.config, image.layer]) {
    const whole = await ask(node, blobTarget(digest));
    assert.deepEqual([whole.status, whole.bytes], [200, bytes]);
    const rest = await ask(node, blobTarget(digest), { range: 'bytes=5-' });
    assert.deepEqual([rest.status, rest.bytes], [206, bytes.subarray(5)]);
  }
  assert.deepEqual(node.peers.requests, []);
  assertAtRest(node);
});

test('canary: no filter hides it', async () => {
  const filters = [
    { registryFilters: ['.*'] },
    { mirroredRegistries: ['docker.io'] },
    { blobsOnlyRegistries: ['*'] },
    { resolveLatestTag: false },
  ];
  for (const options of filters) {
    const node = nodeWith({ filter: createRegistryFilter(options) });
    assert.equal((await ask(node, manifestTarget)).status, 200, JSON.stringify(options));
    assert.equal((await ask(node, blobTarget(image.layer.digest))).status, 200, JSON.stringify(options));
  }
});

test('canary: it says how often it was asked for before, each nonce for itself', async () => {
  const node = nodeWith();
  const asked = async (method: 'GET' | 'HEAD'): Promise<string | undefined> =>
    (await ask(node, manifestTarget, { method })).headers['peili-canary-asked'];
  assert.deepEqual([await asked('HEAD'), await asked('GET'), await asked('HEAD')], ['0', '1', '2']);
  const other = createCanaryImage(createSha256Digester(), 'arm64', 'n0nce0002');
  const target = `/v2/${other.repository}/manifests/${other.manifest.digest}?ns=${canaryRegistry}`;
  assert.equal((await ask(node, target)).headers['peili-canary-asked'], '0');
  const blob = await ask(node, blobTarget(image.layer.digest));
  assert.equal(blob.headers['peili-canary-asked'], undefined, 'a blob may come from an earlier answer');
});

test('canary: what the reserved registry has not is known to nobody: no peer is asked', async () => {
  const node = nodeWith();
  const blob = testBlob(100);
  node.peers.add(blob);
  node.store.add(blob);
  const other = createCanaryImage(createSha256Digester(), 'arm64', 'n0nce0002');
  for (const target of [
    `/v2/${image.repository}/manifests/latest?ns=${canaryRegistry}`,
    `/v2/${image.repository}/manifests/${other.manifest.digest}?ns=${canaryRegistry}`,
    `/v2/library/app/manifests/${image.manifest.digest}?ns=${canaryRegistry}`,
    blobTarget(blob.digest),
    blobTarget(image.manifest.digest),
  ]) {
    const { bytes, status } = await ask(node, target);
    assert.equal(status, 404, target);
    assert.match(new TextDecoder().decode(bytes), /"reason":"(?:MANIFEST|BLOB)_UNKNOWN"/, target);
  }
  assert.deepEqual(node.peers.requests, []);
});

test('canary: under another registry, or without one, it is like any other content', async () => {
  const node = nodeWith();
  for (const registry of ['?ns=docker.io', '']) {
    const target = `/v2/${image.repository}/manifests/${image.manifest.digest}${registry}`;
    assert.equal((await ask(node, target)).status, 404, registry);
  }
});

test('canary: a mirror is not given it: it makes its own', async () => {
  const node = nodeWith();
  assert.equal((await ask(node, manifestTarget, { mirrored: true })).status, 404);
});
