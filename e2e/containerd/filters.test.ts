import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../testbed/index.ts';
import type { ImageOptions, NetnsCluster, NetnsNode, PlacedImage } from '../../testbed/index.ts';
import { getsOf, ownStatusOf, sizeOf, sourcesOf, statusOf } from './asking.ts';
import { openCluster } from './cluster-fixture.ts';

/** More names of the one upstream, as a node may know several registries. Two of the three are mirrored, of one of these only the blobs. */
const blobsOnly = 'blobs.example:5000';
const notMirrored = 'other.example:5000';
/** Long enough that a tag is found before it is too old. */
const tagMaxAge = '8s';
const layers = [{ sizeBytes: 3_000_000 }, { sizeBytes: 200_000 }];

async function openFiltering(context: Parameters<typeof openCluster>[0]): Promise<NetnsCluster> {
  const cluster = await openCluster(context, { nodes: 2 });
  const { upstream } = cluster;
  const hosts = [blobsOnly, notMirrored].map((registry) => registry.replace(/:\d+$/, ''));
  await appendFile(join(dirname(cluster.node(0).files.directory), 'hosts'), `${upstream.address} ${hosts.join(' ')}\n`);
  // containerd asks the mirror for all three; what is mirrored the mirror itself says.
  const configurationFlags = ['--mirrored-registries', `http://${blobsOnly}`, `http://${notMirrored}`];
  const flags = [
    ...['--mirrored-registries', upstream.url, `http://${blobsOnly}`],
    ...['--blobs-only-registries', `http://${blobsOnly}`],
    ...['--registry-filters', '/secret/', ':latest$'],
    ...['--tag-max-age', tagMaxAge],
  ];
  await cluster.startMirrors({ flags, configurationFlags });
  return cluster;
}

const last = { seed: 0 };

/** A fresh image, under a name that clients know it by. */
async function addImage({ upstream }: NetnsCluster, name: string, registry = upstream.registry): Promise<PlacedImage> {
  last.seed += 1;
  const options: ImageOptions = { name, layers, seed: last.seed };
  const placed = await upstream.addImage(options);
  return { ...placed, registry, name: `${registry}/${name}` };
}

async function advertised({ mirror }: NetnsNode): Promise<number> {
  return (await mirror.metrics()).value('peili_advertised_keys') ?? 0;
}

/** Holder and asker pull: the upstream gives all of it twice, and the mirrors nothing but `filtered`. */
async function assertNotMirrored(cluster: NetnsCluster, image: PlacedImage): Promise<void> {
  const [holder, asker] = [cluster.node(0), cluster.node(1)];
  const before = await advertised(holder);
  await cluster.upstream.resetCounts();
  for (const node of [holder, asker]) await node.pull(image.name);
  assert.equal(await cluster.upstream.bytesServed(), 2 * sizeOf(image));
  const gets = await getsOf(asker, image);
  assert.ok(gets.length >= image.blobs.size, `containerd asked the mirror first: ${gets.length}`);
  assert.deepEqual([...new Set(gets.map(({ end, status }) => `${status} ${end}`))], ['404 filtered']);
  // Whatever was pulled before it is advertised by now, and so would it be.
  const later = await addImage(cluster, `team/after:${last.seed}`);
  await holder.pull(later.name);
  await cluster.untilAdvertised(holder, before + later.blobs.size + 1);
  assert.equal(await advertised(holder), before + later.blobs.size + 1);
  for (const digest of image.blobs.keys()) assert.equal(await ownStatusOf(holder, image, `blobs/${digest}`), 404);
}

test('what is filtered', { timeout: 120_000 }, async (context) => {
  const cluster = await openFiltering(context);
  const { upstream } = cluster;
  const [holder, asker] = [cluster.node(0), cluster.node(1)];

  await context.test('a tag too old: the upstream is asked what it means now, its content is found', async () => {
    const old = await addImage(cluster, 'team/moving:1.0');
    await holder.pull(old.name);
    await cluster.untilFound(asker, old);
    await upstream.removeImage(old);
    const fresh = await addImage(cluster, 'team/moving:1.0');
    await until('the tag is too old', async () => (await statusOf(asker, old, 'manifests/1.0')) === 404);
    assert.equal(await ownStatusOf(holder, old, 'manifests/1.0'), 404);
    await upstream.resetCounts();
    await asker.pull(fresh.name);
    assert.deepEqual(await sourcesOf(asker, fresh), {});
    assert.equal(await upstream.bytesServed(), sizeOf(fresh));
    await cluster.untilFound(asker, old, 'blobs');
    assert.equal(await statusOf(asker, old, `manifests/${old.root.digest}`), 200);
  });

  await context.test('a registry that is not mirrored: all from upstream, nothing advertised or served', async () => {
    await assertNotMirrored(cluster, await addImage(cluster, 'team/app:1.0', notMirrored));
  });

  await context.test('a repository that a filter finds: all from upstream, nothing advertised or served', async () => {
    await assertNotMirrored(cluster, await addImage(cluster, 'team/secret/app:1.0'));
  });

  await context.test('a tag that a filter finds: its meaning from upstream, its content from the holder', async () => {
    const image = await addImage(cluster, 'team/app:latest');
    await holder.pull(image.name);
    await cluster.untilFound(asker, image, 'blobs');
    await upstream.resetCounts();
    await asker.pull(image.name);
    assert.equal(await statusOf(asker, image, 'manifests/latest'), 404);
    assert.deepEqual(await sourcesOf(asker, image), { [holder.name]: sizeOf(image) });
    assert.equal(await upstream.bytesServed(), 0, 'what it says to a HEAD has no body');
  });

  await context.test('blobs only: the manifests from upstream, all else from the holder', async () => {
    const image = await addImage(cluster, 'team/paid:1.0', blobsOnly);
    await holder.pull(image.name);
    await cluster.untilFound(asker, image, 'blobs');
    await upstream.resetCounts();
    await asker.pull(image.name);
    const { digest, sizeBytes } = { ...image.root, sizeBytes: sizeOf(image, [image.root.digest]) };
    assert.deepEqual([...(await upstream.counts())], [[digest, { requests: 1, bytes: sizeBytes }]]);
    assert.deepEqual(await sourcesOf(asker, image), { [holder.name]: sizeOf(image) - sizeBytes });
    assert.equal(await statusOf(asker, image, 'manifests/1.0'), 404);
  });
});
