import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { imageConfig } from './image-config.ts';
import { addImage, addIndex, blobsOf, layoutFiles } from './layout.ts';
import type { Blobs } from './layout.ts';
import type { Entry } from './tar.ts';

const naming = {
  repository: 'example.org/peili',
  version: '1.2.3',
  description: 'A mirror',
  licenses: 'MIT',
  seconds: 0,
};
const file = (path: string, text: string): Entry => ({ type: 'file', path, bytes: Buffer.from(text) });

function imageOf(blobs: Blobs, program: string): ReturnType<typeof addImage> {
  const layers = [
    { name: 'runtime', entries: [file('node', 'n'.repeat(10_000))] },
    { name: 'peili', entries: [file('peili.mjs', program)] },
  ];
  return addImage(blobs, 'amd64', layers, naming);
}

const parse = (bytes: Buffer | undefined): Record<string, unknown> => {
  assert.ok(bytes !== undefined);
  return JSON.parse(bytes.toString()) as Record<string, unknown>;
};

test('image: the same content is the same digest', () => {
  assert.deepEqual(imageOf(new Map(), 'one'), imageOf(new Map(), 'one'));
});

test('image: a new program leaves the layer with Node as it was', () => {
  const [one, two] = [imageOf(new Map(), 'one'), imageOf(new Map(), 'two')];
  assert.deepEqual(one.layers[0], two.layers[0]);
  assert.notDeepEqual(one.layers[1], two.layers[1]);
});

test('image: every blob is under its own digest, and diff ids are those of the layers unpacked', () => {
  const blobs: Blobs = new Map();
  const { config, layers } = imageOf(blobs, 'one');
  const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  for (const [digest, bytes] of blobs) assert.equal(digestOf(bytes), digest);
  const { rootfs } = parse(blobs.get(config.digest)) as { rootfs?: { diff_ids: string[] } };
  const unpacked = layers.map(({ digest }) => digestOf(zstdDecompressSync(blobs.get(digest) ?? Buffer.alloc(0))));
  assert.deepEqual(rootfs?.diff_ids, unpacked);
});

test('image: a layout names its index, and one for docker lists what it has', () => {
  const blobs: Blobs = new Map();
  const image = imageOf(blobs, 'one');
  const index = addIndex(blobs, [image], naming);
  const layout = layoutFiles(blobs, index, naming);
  const { manifests } = parse(layout.get('index.json')) as { manifests: { digest: string }[] };
  assert.deepEqual(
    manifests.map(({ digest }) => digest),
    [index.digest],
  );
  assert.equal(layout.has('manifest.json'), false);
  const archive = layoutFiles(blobsOf(blobs, image), image.manifest, naming, image);
  const [row] = parse(archive.get('manifest.json')) as unknown as {
    Config: string;
    Layers: string[];
    RepoTags: string[];
  }[];
  assert.deepEqual(row?.RepoTags, ['example.org/peili:1.2.3']);
  for (const path of [row?.Config ?? '', ...(row?.Layers ?? [])]) assert.ok(archive.has(path), path);
  assert.equal([...archive.keys()].filter((path) => path.startsWith('blobs/')).length, blobs.size - 1);
});

test('image: the Dockerfile says the same', () => {
  const lines = readFileSync('deploy/image/Dockerfile', 'utf8').replaceAll('\\\n', '').split('\n');
  const said = (word: string): string[] =>
    lines
      .filter((line) => line.startsWith(`${word} `))
      .map((line) => line.slice(word.length + 1).replaceAll(/ +/g, ' '));
  assert.deepEqual(
    said('ENV').map((line) => line.replaceAll('"', '')),
    [...imageConfig.Env],
  );
  assert.deepEqual(said('ENTRYPOINT'), [JSON.stringify(imageConfig.Entrypoint)]);
  assert.deepEqual(said('CMD'), [JSON.stringify(imageConfig.Cmd)]);
  assert.deepEqual(said('USER'), [imageConfig.User]);
  assert.deepEqual(said('EXPOSE'), [Object.keys(imageConfig.ExposedPorts).join(' ')]);
});
