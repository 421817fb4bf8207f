import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../testbed/index.ts';
import type { ImageOptions, NetnsCluster, NetnsNode, PlacedImage } from '../../testbed/index.ts';
import { layerOf, ownStatusOf, sizeOf, sourcesOf, statusOf } from './asking.ts';
import { openCluster } from './cluster-fixture.ts';

const last = { seed: 0 };

function addImage({ upstream }: NetnsCluster, options: Partial<ImageOptions> = {}): Promise<PlacedImage> {
  last.seed += 1;
  const layers = [{ sizeBytes: 2_000_000 }, { sizeBytes: 300_000 }];
  return upstream.addImage({ name: `team/app:${last.seed}`, seed: last.seed, layers, ...options });
}

async function advertised({ mirror }: NetnsNode): Promise<number> {
  return (await mirror.metrics()).value('peili_advertised_keys') ?? 0;
}

/** Paths that a mirror is asked for: the tag, and each digest as what it is. */
function pathsOf({ blobs, root, tag }: PlacedImage): readonly string[] {
  const digests = [...blobs.keys()].filter((digest) => digest !== root.digest);
  return [`manifests/${tag}`, `manifests/${root.digest}`, ...digests.map((digest) => `blobs/${digest}`)];
}

async function ownStatuses(node: NetnsNode, image: PlacedImage): Promise<readonly number[]> {
  return [...new Set(await Promise.all(pathsOf(image).map((path) => ownStatusOf(node, image, path))))];
}

test('what a node serves', { timeout: 120_000 }, async (context) => {
  const cluster = await openCluster(context, { nodes: 2, mirrors: {} });
  const { upstream } = cluster;
  const [holder, asker] = [cluster.node(0), cluster.node(1)];

  /** Everything pulled before it is advertised by now, had it to be. */
  const pullAnother = async (): Promise<number> => {
    const before = await advertised(holder);
    const another = await addImage(cluster);
    await holder.pull(another.name);
    await cluster.untilFound(asker, another);
    await cluster.untilAdvertised(holder, before + another.blobs.size + 1);
    return before + another.blobs.size + 1;
  };

  await context.test(
    'what another namespace alone has is neither served nor advertised, until this one has it too',
    async () => {
      const image = await addImage(cluster);
      await holder.exec(['ctr', '--namespace', 'moby', 'content', 'fetch', '--plain-http', image.name]);
      for (const digest of image.blobs.keys()) assert.ok(await holder.content.has(digest), 'its files are there');
      const known = await pullAnother();
      assert.equal(await advertised(holder), known);
      assert.deepEqual(await ownStatuses(holder, image), [404]);
      await upstream.resetCounts();
      await asker.pull(image.name);
      assert.equal(await upstream.bytesServed(), sizeOf(image));
      assert.deepEqual(await sourcesOf(asker, image), {});
      await holder.pull(image.name);
      await until('it is served', async () => (await ownStatuses(holder, image)).every((status) => status === 200));
    },
  );

  await context.test(
    'an index of two platforms with the content of one: that one is found, the other is not',
    async () => {
      const image = await addImage(cluster, { platforms: ['linux/amd64', 'linux/arm64'] });
      const before = await advertised(holder);
      await holder.pull(image.name);
      const blobs = new Set(await holder.content.blobs());
      const [held, absent] = [true, false].map((is) =>
        [...image.blobs.keys()].filter((digest) => blobs.has(digest) === is),
      );
      assert.deepEqual(
        [held?.length, absent?.length],
        [5, 4],
        'the index, and of each platform a manifest, a config and two layers',
      );
      await cluster.untilAdvertised(holder, before + 6);
      const foundAll = async (): Promise<boolean> =>
        (await Promise.all((held ?? []).map((digest) => statusOf(asker, image, `blobs/${digest}`)))).every(
          (status) => status === 200,
        );
      await until('it is found', foundAll);
      await until('its tag is found', async () => (await statusOf(asker, image, `manifests/${image.tag}`)) === 200);
      for (const digest of absent ?? []) assert.equal(await statusOf(asker, image, `blobs/${digest}`), 404);
      assert.equal(await advertised(holder), before + 6);
      await upstream.cut('refused');
      await upstream.resetCounts();
      await asker.pull(image.name);
      assert.deepEqual(await sourcesOf(asker, image), { [holder.name]: sizeOf(image, held) });
      assert.equal(await upstream.bytesServed(), 0);
      await upstream.restore();
    },
  );

  await context.test(
    'names that CRI and others give: those that nobody can ask for are logged once, and all else goes on',
    async () => {
      const image = await addImage(cluster);
      const byDigest = `${image.registry}/${image.repository}@${image.root.digest}`;
      for (const reference of [image.name, byDigest, `${image.name}@${image.root.digest}`])
        await holder.pull(reference);
      const odd = ['UPPER/Case:1.0', 'no spaces/are allowed:1.0', 'registry.example:5000/team/app:'];
      // Without a slash it is taken for an image's id, by which CRI keeps a record too: no name at all.
      const ids = ['<none>@<none>', 'ä'];
      const tagging = ['ctr', '--namespace', 'k8s.io', 'images', 'tag', '--skip-reference-check'];
      for (const name of [...ids, ...odd]) await holder.exec([...tagging, image.name, name]);
      await pullAnother();
      await cluster.untilFound(asker, image);
      const skipped = async (): Promise<readonly unknown[]> =>
        (await holder.mirror.lines()).filter(({ msg }) => msg?.includes('is not served')).map(({ name }) => name);
      await until('each is logged', async () => (await skipped()).length >= odd.length);
      assert.deepEqual(new Set(await skipped()), new Set(odd));
      assert.equal((await skipped()).length, odd.length);
      await upstream.resetCounts();
      await asker.pull(image.name);
      assert.deepEqual(await sourcesOf(asker, image), { [holder.name]: sizeOf(image) });
      assert.equal(await upstream.bytesServed(), 0);
    },
  );

  await context.test(
    'a layer that its image lacks, as after a lazy pull: the rest is found, the layer comes from upstream',
    async () => {
      const image = await addImage(cluster);
      await holder.pull(image.name);
      await cluster.untilFound(asker, image);
      const { digest, sizeBytes } = layerOf(image);
      await holder.exec(['ctr', '--namespace', 'k8s.io', 'content', 'rm', digest]);
      await until('it is withdrawn', async () => (await statusOf(asker, image, `blobs/${digest}`)) === 404);
      assert.equal(await ownStatusOf(holder, image, `blobs/${digest}`), 404);
      await upstream.resetCounts();
      await asker.pull(image.name);
      assert.deepEqual(await sourcesOf(asker, image), { [holder.name]: sizeOf(image) - sizeBytes });
      assert.deepEqual([...(await upstream.counts())], [[digest, { requests: 1, bytes: sizeBytes }]]);
    },
  );
});
