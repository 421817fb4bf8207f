import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createImage, readBlob, startUpstream, writeOciLayout } from './index.ts';
import type { TestBlob, Upstream } from './index.ts';

const image = await createImage({ name: 'docker.io/library/demo:1.0', layers: [{ sizeBytes: 400_000 }] });
const [layer] = [...image.blobs.values()].filter((blob) => blob.sizeBytes === 400_000) as [TestBlob];
const layout = await mkdtemp(join(tmpdir(), 'upstream-'));
await writeOciLayout([image], layout);
after(() => rm(layout, { recursive: true }));

async function withUpstream(
  content: readonly [typeof image] | { layout: string },
  run: (upstream: Upstream) => Promise<void>,
) {
  const upstream = await startUpstream({ content });
  try {
    await run(upstream);
  } finally {
    await upstream.close();
  }
}

const contents = [
  ['images', [image] as const],
  ['a layout', { layout }],
] as const;
for (const [kind, content] of contents) {
  test(`upstream of ${kind}: manifests by tag and by digest, HEAD without a body, 404 for the rest`, async () => {
    await withUpstream(content, async ({ url }) => {
      for (const reference of ['1.0', image.root.digest]) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await fetch(`${url}/v2/library/demo/manifests/${reference}`, { method });
          assert.equal(answer.status, 200);
          assert.equal(answer.headers.get('docker-content-digest'), image.root.digest);
          assert.equal(answer.headers.get('content-type'), 'application/vnd.oci.image.manifest.v1+json');
          assert.equal(answer.headers.get('content-length'), String(image.root.size));
          assert.equal((await answer.bytes()).byteLength, method === 'GET' ? image.root.size : 0);
        }
      }
      assert.equal((await fetch(`${url}/v2/`)).status, 200);
      assert.equal((await fetch(`${url}/v2/library/demo/manifests/2.0`)).status, 404);
      assert.equal((await fetch(`${url}/v2/library/demo/blobs/sha256:${'0'.repeat(64)}`)).status, 404);
    });
  });

  test(`upstream of ${kind}: exact ranges, and every byte is counted`, async () => {
    await withUpstream(content, async (upstream) => {
      const whole = await readBlob(layer);
      const get = (range: string) =>
        fetch(`${upstream.url}/v2/library/demo/blobs/${layer.digest}`, { headers: { range } });
      for (const [range, start, end] of [
        ['bytes=0-', 0, 400_000],
        ['bytes=399999-', 399_999, 400_000],
        ['bytes=17-300017', 17, 300_018],
        ['bytes=-5', 399_995, 400_000],
      ] as const) {
        const answer = await get(range);
        assert.equal(answer.status, 206);
        assert.equal(answer.headers.get('content-range'), `bytes ${start}-${end - 1}/400000`);
        assert.deepEqual(await answer.bytes(), whole.slice(start, end));
      }
      const beyond = await get('bytes=400000-');
      assert.equal(beyond.status, 416);
      assert.equal(beyond.headers.get('content-range'), 'bytes */400000');
      assert.deepEqual(upstream.counts().get(layer.digest), { requests: 4, bytes: 400_000 + 1 + 300_001 + 5 });
      assert.equal(upstream.bytesServed(), 700_007);
    });
  });
}

test('upstream: cut refuses, restore serves on the same port', async () => {
  await withUpstream([image], async (upstream) => {
    await upstream.cut();
    await assert.rejects(fetch(`${upstream.url}/v2/`));
    await upstream.restore();
    assert.equal((await fetch(`${upstream.url}/v2/`)).status, 200);
  });
});

test('upstream: a stall holds the body, restore lets it go on', async () => {
  await withUpstream([image], async (upstream) => {
    upstream.stall();
    const answer = await fetch(`${upstream.url}/v2/library/demo/blobs/${layer.digest}`);
    assert.equal(answer.status, 200);
    assert.equal(upstream.bytesServed(), 0);
    await upstream.restore();
    assert.deepEqual(await answer.bytes(), await readBlob(layer));
  });
});

test('upstream: a limit holds for all bodies together', async () => {
  await withUpstream([image], async (upstream) => {
    upstream.limit(2_000_000);
    const startMs = performance.now();
    const get = async () => (await fetch(`${upstream.url}/v2/library/demo/blobs/${layer.digest}`)).bytes();
    await Promise.all([get(), get()]);
    assert.ok(performance.now() - startMs >= 380, '800 kB at 2 MB/s take 400 ms');
  });
});
