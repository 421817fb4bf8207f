import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createImage, until } from '../../testbed/index.ts';
import type { ImageOptions, NetnsCluster, NetnsClusterOptions, NetnsNode, PlacedImage } from '../../testbed/index.ts';
import { openCluster } from './cluster-fixture.ts';

const app: ImageOptions = { name: 'team/app:1.0', layers: [{ sizeBytes: 20_000_000 }, { sizeBytes: 300_000 }] };

interface Held {
  readonly cluster: NetnsCluster;
  readonly image: PlacedImage;
  readonly holder: NetnsNode;
  readonly asker: NetnsNode;
}

/** Nodes of which the first has pulled the image and the second finds it there; the upstream is cut. */
async function openHeld(context: TestContext, options: Partial<NetnsClusterOptions> = {}): Promise<Held> {
  const cluster = await openCluster(context, { nodes: 2, mirrors: {}, ...options });
  const image = await cluster.upstream.addImage(app);
  const [holder, asker] = [cluster.node(0), cluster.node(1)];
  await holder.pull(image.name);
  assert.equal(await cluster.upstream.bytesServed(), cluster.sizeOf(image), 'one copy');
  await cluster.untilFound(asker, image);
  await cut(cluster, 'refused');
  return { cluster, image, holder, asker };
}

async function cut({ upstream }: NetnsCluster, how: 'refused' | 'black-hole'): Promise<void> {
  await upstream.cut(how);
  await upstream.resetCounts();
}

/** The node has all of the image, its mirror gave it every byte from other nodes, and nothing came from the upstream. */
async function assertAllFromMembers(cluster: NetnsCluster, node: NetnsNode, image: PlacedImage): Promise<void> {
  const bytes = await node.mirror.bytesBySource();
  const total = Object.values(bytes).reduce((sum, each) => sum + each, 0);
  assert.equal(total, cluster.sizeOf(image), JSON.stringify(bytes));
  for (const source of Object.keys(bytes)) assert.match(source, /^node-\d+$/);
  assert.deepEqual(await node.content.blobs(), [...image.blobs.keys()].sort());
  assert.equal(await cluster.upstream.bytesServed(), 0);
}

const ways: Readonly<Record<string, (image: PlacedImage) => string>> = {
  'by tag': ({ name }) => name,
  'by digest': ({ registry, repository, root }) => `${registry}/${repository}@${root.digest}`,
  'by tag and digest': ({ name, root }) => `${name}@${root.digest}`,
};

for (const how of ['refused', 'black-hole'] as const) {
  test(`pull: the upstream is cut (${how}): by tag, by digest and by both, every byte comes from members`, async (context) => {
    const cluster = await openCluster(context, { nodes: 4, mirrors: {} });
    const image = await cluster.upstream.addImage(app);
    await cluster.node(0).pull(image.name);
    const askers = cluster.nodes.slice(1);
    for (const asker of askers) await cluster.untilFound(asker, image);
    await cut(cluster, how);
    for (const [at, reference] of Object.values(ways).entries()) {
      await cluster.node(at + 1).pull(reference(image));
      await assertAllFromMembers(cluster, cluster.node(at + 1), image);
    }
  });
}

for (const [title, options] of [
  ['IPv6 alone', { family: 'ipv6' }],
  ['stores on disk', { store: 'disk' }],
] as const) {
  test(`pull: ${title}: every byte comes from the holder`, async (context) => {
    const { cluster, image, asker } = await openHeld(context, options);
    await asker.pull(image.name);
    assert.deepEqual(await asker.mirror.bytesBySource(), { 'node-1': cluster.sizeOf(image) });
    await assertAllFromMembers(cluster, asker, image);
  });
}

test('pull: a mirror that is not asked for tags gives the content all the same, the upstream the tag alone', async (context) => {
  const cluster = await openCluster(context, { nodes: 2, mirrors: { resolveTags: false } });
  const image = await cluster.upstream.addImage(app);
  await cluster.node(0).pull(image.name);
  await cluster.untilFound(cluster.node(1), image, 'blobs');
  await cluster.upstream.resetCounts();
  await cluster.node(1).pull(image.name);
  const pulls = await cluster.node(1).mirror.pulls();
  assert.deepEqual(
    pulls.filter(({ key, method }) => method === 'GET' && !key.startsWith('sha256:')),
    [],
  );
  assert.equal((await cluster.node(1).mirror.bytesBySource())['node-1'], cluster.sizeOf(image));
  assert.equal(await cluster.upstream.bytesServed(), 0, 'what it says to a HEAD has no body');
});

test('pull: an imported image, which no label tells the origin of, is served by tag and by digest', async (context) => {
  const cluster = await openCluster(context, { nodes: 3, mirrors: {} });
  const { registry } = cluster.upstream;
  const made = await createImage({ ...app, name: `${registry}/${app.name}` });
  // The upstream has never heard of it.
  await cut(cluster, 'refused');
  await cluster.node(0).importImage(made);
  for (const [at, reference] of [made.name, `${registry}/${made.repository}@${made.root.digest}`].entries()) {
    await cluster.untilFound(cluster.node(at + 1), made);
    await cluster.node(at + 1).pull(reference);
    await assertAllFromMembers(cluster, cluster.node(at + 1), made);
  }
});

test('containerd restarts on the holder: what it has is served again, and what it pulls afterwards is advertised', async (context) => {
  const { cluster, image, holder, asker } = await openHeld(context);
  await holder.containerd.restart();
  await asker.pull(image.name);
  await assertAllFromMembers(cluster, asker, image);
  await cluster.upstream.restore();
  const later = await cluster.upstream.addImage({ ...app, name: 'team/later:1.0', seed: 2 });
  await holder.pull(later.name);
  await cluster.untilFound(asker, later);
  assert.ok(holder.mirror.isRunning());
});

test('containerd is down on the holder: its mirror lives, and serves what it knows from the files', async (context) => {
  const { cluster, image, holder, asker } = await openHeld(context);
  await holder.containerd.kill();
  await asker.pull(image.name);
  await assertAllFromMembers(cluster, asker, image);
  assert.ok(holder.mirror.isRunning());
  await holder.containerd.start();
});

for (const end of ['stop', 'kill'] as const) {
  test(`the holder's mirror restarts (${end}): it is found again with all that its store has`, async (context) => {
    const { cluster, image, holder, asker } = await openHeld(context);
    const code = await holder.mirror[end]();
    if (end === 'stop') assert.equal(code, 0);
    await holder.startMirror();
    await cluster.untilFound(asker, image);
    await asker.pull(image.name);
    await assertAllFromMembers(cluster, asker, image);
  });
}

test('drain: a holder is told to stop in mid-body: it ends well, and one that came to have it goes on', async (context) => {
  const cluster = await openCluster(context, { nodes: 3, mirrors: {} });
  const image = await cluster.upstream.addImage(app);
  const [first, second, asker] = [cluster.node(0), cluster.node(1), cluster.node(2)];
  await first.pull(image.name);
  await cluster.untilFound(asker, image);
  await cut(cluster, 'refused');
  // 20 MB in about 7 s.
  await first.setRate(24_000_000);
  const [layer = ''] = [...image.blobs].find(([, { sizeBytes }]) => sizeBytes === 20_000_000) ?? [];
  const pull = asker.pull(image.name);
  pull.catch(() => undefined);
  await until('it is in mid-body', async () => (await asker.content.receivedBytes(layer)) > 1_000_000);
  await second.importImage(await createImage({ ...app, name: image.name }));
  await cluster.untilAdvertised(second, image.blobs.size + 1);
  const stopped = first.mirror.stop();
  await pull;
  assert.equal(await stopped, 0);
  await assertAllFromMembers(cluster, asker, image);
  const { 'node-1': fromFirst = 0, 'node-2': fromSecond = 0 } = await asker.mirror.bytesBySource();
  assert.ok(fromFirst > 1_000_000 && fromSecond > 1_000_000, JSON.stringify({ fromFirst, fromSecond }));
});

test('the own mirror is gone: containerd goes on to the upstream, and pays no more than a refused dial', async (context) => {
  const cluster = await openCluster(context, { nodes: 1, mirrors: {} });
  const image = await cluster.upstream.addImage(app);
  await cluster.node(0).mirror.kill();
  const { tookMs } = await cluster.node(0).pull(image.name);
  assert.equal(await cluster.upstream.bytesServed(), cluster.sizeOf(image));
  assert.ok(tookMs < 5000, `${tookMs} ms`);
});
