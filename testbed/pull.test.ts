import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { blobPath, createImage, createLayoutWriter, pull, readBlob, startFaultProxy, startUpstream } from './index.ts';
import type { FaultProxy, FaultRule, ProxiedRequest, PullOptions, TestBlob, Upstream } from './index.ts';

const reference = 'docker.io/library/demo:1.0';
const image = await createImage({
  name: reference,
  layers: [{ sizeBytes: 300_000 }, { sizeBytes: 200_000 }, { sizeBytes: 2_000 }, { sizeBytes: 3_000 }],
  platforms: ['linux/amd64', 'linux/arm64'],
});
// The big layer of linux/amd64, which is made first.
const [big] = [...image.blobs.values()].filter((blob) => blob.sizeBytes === 300_000) as [TestBlob];
const isBig = (request: ProxiedRequest): boolean => request.target.includes(big.digest);

interface Parts {
  readonly mirror: FaultProxy;
  readonly upstream: Upstream;
  pull(changes?: Partial<PullOptions>): ReturnType<typeof pull>;
  /** The ranges that the mirror was asked for of the big layer. */
  ranges(): (string | undefined)[];
}

/** A mirror that breaks as told (a proxy before a registry that has everything), and an upstream. */
async function withParts(rules: readonly FaultRule[], run: (parts: Parts) => Promise<void>): Promise<void> {
  const holder = await startUpstream({ content: [image] });
  const upstream = await startUpstream({ content: [image] });
  const mirror = await startFaultProxy({ target: holder.url, rules });
  const signal = AbortSignal.timeout(20_000);
  try {
    await run({
      mirror,
      upstream,
      pull: (changes) => pull({ reference, mirror: mirror.url, upstream: upstream.url, signal, ...changes }),
      ranges: () =>
        mirror
          .requests()
          .filter(isBig)
          .map((request) => request.range),
    });
  } finally {
    await Promise.all([mirror.close(), upstream.close(), holder.close()]);
  }
}

test('pull: tag by HEAD with ns, then index, one manifest, config and layers by digest, all from the mirror', async () => {
  await withParts([], async ({ pull: run, mirror, upstream }) => {
    const result = await run();
    assert.equal(result.digest, image.root.digest);
    assert.equal(result.contents.length, 7, 'index, manifest, config and four layers: not the other platform');
    assert.equal(result.bytesByHost.upstream, 0);
    assert.equal(
      result.bytesByHost.mirror,
      result.contents.reduce((total, content) => total + content.sizeBytes, 0),
    );
    assert.equal(upstream.bytesServed(), 0);
    const [first, second] = mirror.requests();
    assert.equal(first?.method, 'HEAD');
    assert.equal(first?.target, '/v2/library/demo/manifests/1.0?ns=docker.io');
    assert.equal(second?.target, `/v2/library/demo/manifests/${image.root.digest}?ns=docker.io`);
    assert.ok(mirror.requests().every((request) => request.range === undefined));
  });
});

test('pull: a mirror that refuses, or does not have it, costs nothing but the upstream is asked', async () => {
  await withParts([{ fault: { type: 'refuse' } }], async ({ pull: run }) => {
    const result = await run();
    assert.equal(result.bytesByHost.mirror, 0);
  });
  const empty = await startUpstream({ content: [] });
  await withParts([], async ({ pull: run }) => {
    assert.equal((await run({ mirror: empty.url })).bytesByHost.mirror, 0);
  });
  await empty.close();
});

test('pull: after a FIN it goes on at the exact offset, from the first host again', async () => {
  const cut = (at: number): FaultRule => ({ fault: { type: 'cut', by: 'fin', at, of: 'blob' }, when: isBig, times: 1 });
  const places = [100_001, 100_002, 150_000, 200_000, 250_000, 299_999];
  await withParts(places.map(cut), async ({ pull: run, ranges, upstream }) => {
    const result = await run();
    assert.deepEqual(ranges(), [undefined, ...places.map((at) => `bytes=${at}-`)]);
    assert.equal(result.resumes, places.length, 'as often as it takes, while bytes come');
    assert.equal(upstream.bytesServed(), 0);
  });
});

test('pull: a resume that the mirror refuses goes to the upstream at that offset', async () => {
  await withParts([{ fault: { type: 'cut', by: 'fin', at: 100_001 }, when: isBig }], async ({ mirror, ...parts }) => {
    const result = await parts.pull({
      onProgress: ({ digest, receivedBytes }) => {
        if (digest === big.digest && receivedBytes === 100_001) void mirror.kill();
      },
    });
    const content = result.contents.find(({ digest }) => digest === big.digest);
    assert.deepEqual(content?.bytesByHost, { mirror: 100_001, upstream: 199_999 });
    assert.equal(parts.upstream.counts().get(big.digest)?.bytes, 199_999);
  });
});

test('pull: three resumes without a byte are made, a fourth is not', async () => {
  await withParts(
    [{ fault: { type: 'cut', by: 'fin', at: 0 }, when: isBig }],
    async ({ pull: run, ranges, upstream }) => {
      await assert.rejects(run(), { code: 'NO_PROGRESS' });
      assert.equal(ranges().length, 4);
      assert.equal(
        upstream.counts().get(big.digest),
        undefined,
        'the upstream is never asked: the trap of a mirror without memory',
      );
    },
  );
});

test('pull: an RST fails it at once, without a resume', async () => {
  await withParts(
    [{ fault: { type: 'cut', by: 'rst', at: 1000 }, when: isBig }],
    async ({ pull: run, ranges, upstream }) => {
      await assert.rejects(run(), { code: 'RESET' });
      assert.equal(ranges().length, 1);
      assert.equal(upstream.counts().get(big.digest), undefined);
    },
  );
});

test('pull: a wrong byte is found, and nothing of it stays', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pull-'));
  await withParts([{ fault: { type: 'flip', at: 5 }, when: isBig }], async ({ pull: run }) => {
    const into = await createLayoutWriter(directory);
    await assert.rejects(run({ into }), { code: 'DIGEST_WRONG' });
    assert.equal(await into.has(big.digest, big.sizeBytes), false);
    assert.deepEqual(await readdir(join(directory, 'ingest')), []);
    assert.match(
      await readFile(join(directory, 'index.json'), 'utf8'),
      /"manifests":\[\]/,
      'no name for half an image',
    );
  });
  await rm(directory, { recursive: true });
});

test('pull: into a layout the blobs are whole, the name comes, and a second pull moves manifests alone', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pull-'));
  await withParts([], async ({ pull: run, upstream }) => {
    const into = await createLayoutWriter(directory);
    const { digest } = await run({ into });
    assert.ok((await readFile(blobPath(directory, big.digest))).equals(await readBlob(big)));
    assert.match(
      await readFile(join(directory, 'index.json'), 'utf8'),
      new RegExp(`${digest}.*docker.io/library/demo:1.0`),
    );
    const again = await run({ into });
    assert.equal(again.contents.filter(({ present }) => present).length, 5);
    const fromLayout = await startUpstream({ content: { layout: directory } });
    const third = await run({ mirror: fromLayout.url });
    assert.equal(third.bytesByHost.upstream, 0, 'who pulled can serve');
    assert.equal(upstream.bytesServed(), 0);
    await fromLayout.close();
  });
  await rm(directory, { recursive: true });
});

test('pull: layers flow side by side, three at once and no more', async (context) => {
  const many = await createImage({ name: reference, layers: Array.from({ length: 6 }, () => ({ sizeBytes: 50_000 })) });
  const holder = await startUpstream({ content: [many] });
  const trickle: FaultRule = {
    fault: { type: 'trickle', bytesPerSecond: 500_000 },
    when: ({ target }) => target.includes('/blobs/'),
  };
  const mirror = await startFaultProxy({ target: holder.url, rules: [trickle] });
  context.after(() => Promise.all([mirror.close(), holder.close()]));
  const underWay = new Set<string>();
  let most = 0;
  await pull({
    reference,
    mirror: mirror.url,
    signal: AbortSignal.timeout(20_000),
    onProgress: ({ digest, receivedBytes, sizeBytes }) => {
      if (receivedBytes < sizeBytes) underWay.add(digest);
      else underWay.delete(digest);
      most = Math.max(most, underWay.size);
    },
  });
  assert.equal(most, 3);
});

test('pull: cancelled, it ends with the reason and leaves no connection', async () => {
  await withParts([{ fault: { type: 'stall', at: 10 }, when: isBig }], async ({ pull: run, mirror }) => {
    const scope = new AbortController();
    const running = run({
      signal: scope.signal,
      onProgress: ({ digest }) => {
        if (digest === big.digest) scope.abort(new Error('no more of it'));
      },
    });
    await assert.rejects(running, /no more of it/);
    while (mirror.connections() > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});

test('pull: by digest too; a short name is refused in words', async () => {
  await withParts([], async ({ pull: run }) => {
    const result = await run({ reference: `docker.io/library/demo@${image.root.digest}`, platform: 'linux/arm64' });
    assert.equal(result.digest, image.root.digest);
    await assert.rejects(run({ reference: 'demo:1.0' }), /give registry\/repository:tag/);
  });
});
