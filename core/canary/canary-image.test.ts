import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseReference } from '../requests/reference.ts';
import { createSha256Digester } from '../testing/sha256-digester.ts';
import { canaryImageOf, canaryRegistry, createCanaryImage } from './canary-image.ts';
import type { CanaryContent } from './canary-image.ts';

const digester = createSha256Digester();
const image = createCanaryImage(digester, 'amd64', 'n0nce0001');
const json = ({ bytes }: CanaryContent) => JSON.parse(new TextDecoder().decode(bytes));
const text = (bytes: Uint8Array, start: number, end: number): string =>
  new TextDecoder().decode(bytes.subarray(start, end)).replace(/\0.*/s, '');

test('canary: what is pulled is a reference by digest under the reserved registry', () => {
  assert.deepEqual(parseReference(image.reference), {
    registry: canaryRegistry,
    repository: 'amd64/n0nce0001',
    tag: undefined,
    digest: image.manifest.digest,
  });
});

test('canary: every digest and size is that of the bytes, from the manifest down', () => {
  const { config, layer, manifest } = image;
  for (const { bytes, digest } of [config, layer, manifest]) {
    assert.equal(digest, `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  }
  const said = json(manifest);
  assert.equal(said.mediaType, manifest.mediaType);
  assert.deepEqual(
    [said.config, ...said.layers],
    [config, layer].map(({ bytes, digest, mediaType }) => ({ mediaType, digest, size: bytes.byteLength })),
  );
  assert.deepEqual(json(config).rootfs.diff_ids, [layer.digest], 'the layer is not compressed');
  assert.deepEqual(
    [json(config).os, json(config).architecture],
    ['linux', 'amd64'],
    'containerd unpacks what runs here',
  );
});

test('canary: the layer is a tar archive of one file with the nonce', () => {
  const { bytes } = image.layer;
  assert.equal(bytes.byteLength % 512, 0);
  assert.deepEqual([text(bytes, 0, 100), text(bytes, 257, 262)], ['canary', 'ustar']);
  const sizeBytes = Number.parseInt(text(bytes, 124, 136), 8);
  assert.equal(text(bytes, 512, 512 + sizeBytes), 'n0nce0001\n');
  const blanked = bytes.slice(0, 512).fill(0x20, 148, 156);
  assert.equal(
    Number.parseInt(text(bytes, 148, 156), 8),
    blanked.reduce((sum, byte) => sum + byte, 0),
  );
  assert.ok(bytes.subarray(-1024).every((byte) => byte === 0));
});

test('canary: any mirror makes the same image, and another nonce is another one in every blob', () => {
  assert.deepEqual(canaryImageOf(createSha256Digester(), image.repository), image);
  const other = createCanaryImage(digester, 'amd64', 'n0nce0002');
  for (const part of ['manifest', 'config', 'layer'] as const) {
    assert.notEqual(other[part].digest, image[part].digest);
  }
});

test('canary: what is no <architecture>/<nonce> stands for no image', () => {
  for (const repository of [
    '',
    'amd64',
    'amd64/short',
    'amd64/n0nce0001/x',
    'AMD64/n0nce0001',
    'amd64/n0nce-0001',
    `a/${'n'.repeat(65)}`,
  ]) {
    assert.equal(canaryImageOf(digester, repository), undefined, repository);
  }
  assert.throws(() => createCanaryImage(digester, 'amd64', 'x'), { code: 'NAME_INVALID' });
});
