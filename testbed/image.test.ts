import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { createArtifact, createImage, createTarLayer, readBlob, writeOciLayout } from './index.ts';
import type { Descriptor, TestBlob, TestImage } from './index.ts';

const mebibyte = 1024 * 1024;
const demo = { name: 'docker.io/library/demo:1.0', layers: [{ sizeBytes: 300_001 }, { sizeBytes: 1536 }] };

async function parse<T>(blob: TestBlob | undefined): Promise<T> {
  assert.ok(blob);
  return JSON.parse(new TextDecoder().decode(await readBlob(blob))) as T;
}

function inside(image: TestImage, descriptor: Descriptor | undefined): TestBlob {
  assert.ok(descriptor);
  const blob = image.blobs.get(descriptor.digest);
  assert.ok(blob, `the image has what it describes: ${descriptor.digest}`);
  assert.equal(blob.sizeBytes, descriptor.size);
  return blob;
}

test('image: the same options are the same image to the byte, another seed is another image', async () => {
  const [first, second, other] = await Promise.all([
    createImage(demo),
    createImage(demo),
    createImage({ ...demo, seed: 2 }),
  ]);
  assert.deepEqual([...first.blobs.keys()], [...second.blobs.keys()]);
  assert.notEqual(first.root.digest, other.root.digest);
  // Golden: content that changes between versions would make stored cases mean something else.
  assert.equal(first.root.digest, 'sha256:c9ee13acd567e5cd2de732f7b3c56dc6b7da0067793147d738333409834d2118');
});

test('image: every descriptor names a blob of that digest and size, and the config says the diff ids of the layers', async () => {
  const image = await createImage(demo);
  const manifest = await parse<{ config: Descriptor; layers: Descriptor[] }>(inside(image, image.root));
  const config = await parse<{ rootfs: { diff_ids: string[] } }>(inside(image, manifest.config));
  assert.deepEqual(
    config.rootfs.diff_ids,
    manifest.layers.map((layer) => layer.digest),
  );
  assert.deepEqual(
    manifest.layers.map((layer) => inside(image, layer).sizeBytes),
    [300_001, 1536],
  );
  for (const blob of image.blobs.values()) {
    const hash = createHash('sha256')
      .update(await readBlob(blob))
      .digest('hex');
    assert.equal(blob.digest, `sha256:${hash}`);
  }
});

test('image: with platforms the tag names an index with a manifest for each', async () => {
  const image = await createImage({ ...demo, platforms: ['linux/amd64', 'linux/arm64'] });
  const index = await parse<{ manifests: Descriptor[] }>(inside(image, image.root));
  assert.deepEqual(
    index.manifests.map((entry) => entry.platform?.architecture),
    ['amd64', 'arm64'],
  );
  const layers = await Promise.all(
    index.manifests.map(
      async (entry) => (await parse<{ layers: Descriptor[] }>(inside(image, entry))).layers[0]?.digest,
    ),
  );
  assert.notEqual(layers[0], layers[1]);
});

test('artifact: any blobs, JSON, CSV and empty ones too, under an artifactType and the empty config', async () => {
  const artifact = await createArtifact({
    name: 'ghcr.io/models/tiny:v1',
    artifactType: 'application/vnd.example.model',
    files: [
      { mediaType: 'application/json', content: '{"a":1}', title: 'a.json' },
      { mediaType: 'text/csv', content: 'a,b\n1,2\n' },
      { mediaType: 'application/octet-stream', content: '' },
      { mediaType: 'application/vnd.example.weights', sizeBytes: 70_001 },
    ],
  });
  const manifest = await parse<{ artifactType: string; config: Descriptor; layers: Descriptor[] }>(
    inside(artifact, artifact.root),
  );
  assert.equal(manifest.artifactType, 'application/vnd.example.model');
  assert.equal(new TextDecoder().decode(await readBlob(inside(artifact, manifest.config))), '{}');
  assert.deepEqual(
    manifest.layers.map((layer) => inside(artifact, layer).sizeBytes),
    [7, 8, 0, 70_001],
  );
});

test('layer: a range reads as the same bytes as in the whole', async () => {
  const layer = await createTarLayer('ranges', { sizeBytes: 700_003 });
  const whole = await readBlob(layer);
  await fc.assert(
    fc.asyncProperty(fc.nat(layer.sizeBytes), fc.nat(layer.sizeBytes), async (a, b) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)];
      const chunks: Uint8Array[] = [];
      for await (const chunk of layer.open(start, end)) chunks.push(chunk);
      assert.ok(Buffer.concat(chunks).equals(whole.subarray(start, end)));
    }),
    { numRuns: 50 },
  );
});

test('layer: one too small for a tar is refused in words', async () => {
  await assert.rejects(createTarLayer('small', { sizeBytes: 100 }), /give at least 1536/);
});

const tar = spawnSync('tar', ['--version']);
test('layer: tar reads it', { skip: tar.status === 0 ? false : 'no tar program here' }, async () => {
  const layer = await createTarLayer('seed', { sizeBytes: 2 * mebibyte + 77, path: 'data/file' });
  const listed = spawnSync('tar', ['-tvf', '-'], { input: await readBlob(layer), encoding: 'utf8' });
  assert.equal(listed.status, 0, listed.stderr);
  assert.match(listed.stdout, /2095616 1970-01-01 .* data\/file/);
});

test(
  'layer: of given files, tar reads each, with its mode',
  { skip: tar.status === 0 ? false : 'no tar program here' },
  async () => {
    const files = [
      { path: 'bin/run', content: new Uint8Array(513).fill(1), mode: 0o755 },
      { path: 'models/config.json', content: '{}' },
      { path: 'empty', content: '' },
    ];
    const input = await readBlob(await createTarLayer('seed', { files }));
    const listed = spawnSync('tar', ['-tvf', '-'], { input, encoding: 'utf8' });
    assert.equal(listed.status, 0, listed.stderr);
    assert.match(
      listed.stdout,
      /^-rwxr-xr-x 0\/0 +513 .* bin\/run\n-rw-r--r-- .* 2 .* models\/config.json\n.* 0 .* empty\n$/,
    );
    const read = spawnSync('tar', ['-xOf', '-', 'models/config.json'], { input, encoding: 'utf8' });
    assert.equal(read.stdout, '{}');
  },
);

test('layout: blobs by digest, names with both annotations, nothing else left behind', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'layout-'));
  try {
    const image = await createImage(demo);
    const artifact = await createArtifact({ name: 'ghcr.io/a/b:c', artifactType: 'text/x', files: [] });
    await writeOciLayout([image], directory);
    const writer = await writeOciLayout([artifact, image], directory);
    const index = JSON.parse(await readFile(join(directory, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
    assert.deepEqual(
      index.manifests.map((entry) => [
        entry.annotations?.['io.containerd.image.name'],
        entry.annotations?.['org.opencontainers.image.ref.name'],
        entry.digest,
      ]),
      [
        ['ghcr.io/a/b:c', 'c', artifact.root.digest],
        ['docker.io/library/demo:1.0', '1.0', image.root.digest],
      ],
    );
    const files = await readdir(join(directory, 'blobs', 'sha256'));
    const digests = [...image.blobs.keys(), ...artifact.blobs.keys()].map((digest) => digest.slice('sha256:'.length));
    assert.deepEqual(files.toSorted(), digests.toSorted());
    assert.deepEqual(await readdir(join(directory, 'ingest')), []);
    assert.deepEqual((await readdir(directory)).toSorted(), ['blobs', 'index.json', 'ingest', 'oci-layout']);
    await writer.remove(image.root.digest);
    assert.equal(await writer.has(image.root.digest, image.root.size), false);
  } finally {
    await rm(directory, { recursive: true });
  }
});
