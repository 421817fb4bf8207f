import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256, until } from '../../testbed/index.ts';
import type { MirrorPull, NetnsCluster, NetnsNode, PlacedImage } from '../../testbed/index.ts';
import { getsOf, layerOf, sizeOf, sourcesOf } from './asking.ts';
import { openCluster } from './cluster-fixture.ts';

const layerBytes = 40_000_000;

interface Scene {
  readonly cluster: NetnsCluster;
  /** Of the asker's zone: it is asked first. */
  readonly near: NetnsNode;
  readonly far: NetnsNode;
  readonly asker: NetnsNode;
}

async function openScene(context: Parameters<typeof openCluster>[0]): Promise<Scene> {
  const cluster = await openCluster(context, { nodes: 3 });
  const [near, far, asker] = [cluster.node(0), cluster.node(1), cluster.node(2)];
  const start = (node: NetnsNode, zone: string): Promise<unknown> =>
    node.startMirror({ flags: ['--zone', zone], untilReady: false });
  await Promise.all([start(near, 'a'), start(asker, 'a'), start(far, 'b')]);
  for (const { mirror } of cluster.nodes) {
    await until('it knows the others', async () => ((await mirror.metrics()).value('peili_members') ?? 0) >= 2);
  }
  return { cluster, near, far, asker };
}

/** A fresh image that both hold, one after the other, and the asker finds at each. */
async function heldImage({ cluster, near, far, asker }: Scene, seed: number): Promise<PlacedImage> {
  const image = await cluster.upstream.addImage({
    name: `team/app:${seed}`,
    seed,
    layers: [{ sizeBytes: layerBytes }],
  });
  for (const holder of [far, near]) {
    await holder.pull(image.name);
    await until(`${asker.name} asks ${holder.name}`, async () => {
      await cluster.untilFound(asker, image);
      const asked = (await holder.mirror.pulls()).filter(({ asker: by, status }) => by === 'mirror' && status === 200);
      return [...image.blobs.keys()].every((digest) => asked.some(({ key }) => key === digest));
    });
  }
  await cluster.upstream.resetCounts();
  return image;
}

function notesOf(pulls: readonly MirrorPull[]): readonly Readonly<Record<string, unknown>>[] {
  return pulls.flatMap(({ notes = [] }) => notes);
}

/** Nobody was named, and no node found fault with its own files. */
async function assertNobodyAccused({ cluster }: Scene): Promise<void> {
  for (const { mirror } of cluster.nodes) {
    const notes = notesOf(await mirror.pulls());
    const accusations = notes.filter((note) => 'liar' in note || ['wrong', 'none'].includes(String(note['proof'])));
    assert.deepEqual(accusations, []);
    assert.deepEqual(
      (await mirror.lines()).filter(({ level }) => level === 'ERROR'),
      [],
    );
    assert.equal((await mirror.metrics()).value('peili_withdrawn_keys_total') ?? 0, 0);
  }
}

test('a client that is not containerd', { timeout: 120_000 }, async (context) => {
  const scene = await openScene(context);
  const { asker, cluster, far, near } = scene;
  const image = await heldImage(scene, 1);
  const layer = layerOf(image).digest;
  // As a program on the node, or a pod, that knows the mirror's address and no registry's name.
  const own = `127.0.0.1:5000/${image.repository}`;
  const digestBy = async (command: string): Promise<string> => (await asker.exec(['sh', '-c', command])).trim();

  await context.test(
    'crane asks twice, and gives up in between: right bytes each time, nobody accused',
    async (inner) => {
      const whole = `crane blob ${own}@${layer} | sha256sum | sed 's/ .*//; s/^/sha256:/'`;
      for (let round = 1; round <= 2; round += 1) {
        assert.equal(await digestBy(whole), layer);
        // Whoever reads closes its pipe, and crane ends by SIGPIPE.
        assert.equal(await digestBy(`crane blob ${own}@${layer} 2>&1 | head -c 2000000 | wc -c`), '2000000');
      }
      assert.equal(await digestBy(whole), layer);
      await until('all requests have ended', async () => (await layerGets(asker, layer)).length >= 5);
      const gets = await layerGets(asker, layer);
      inner.diagnostic(gets.map(({ end, sources }) => `${end} ${JSON.stringify(sources)}`).join('; '));
      assert.deepEqual(
        gets.map(({ end }) => end),
        ['complete', 'hangup', 'complete', 'hangup', 'complete'],
      );
      await assertNobodyAccused(scene);
    },
  );

  await context.test('crane pulls all of an image by its digest: each file is what its name says', async () => {
    const layout = join(asker.files.directory, 'pulled');
    await asker.exec(['crane', 'pull', '--format=oci', `${own}@${image.root.digest}`, layout]);
    const files = (await readdir(join(layout, 'blobs/sha256'))).toSorted();
    assert.deepEqual(files, [...image.blobs.keys()].map((digest) => digest.replace('sha256:', '')).toSorted());
    for (const file of files)
      assert.equal(sha256(await readFile(join(layout, 'blobs/sha256', file))), `sha256:${file}`);
    await assertNobodyAccused(scene);
  });

  await context.test('afterwards containerd pulls it too: from the holders, right away', async () => {
    await asker.pull(image.name);
    // Bytes asked for a moment ago are asked of somebody else first, if there is somebody: that is no accusation.
    const gets = (await getsOf(asker, image)).filter(({ registry }) => registry === image.registry);
    assert.equal(gets.length, image.blobs.size, 'crane knows no registry');
    for (const { key, sources } of gets) {
      const { [near.name]: fromNear = 0, [far.name]: fromFar = 0, ...others } = sources;
      assert.deepEqual(others, {});
      assert.equal(fromNear + fromFar, sizeOf(image, [key]));
    }
    assert.equal(await cluster.upstream.bytesServed(), 0);
    await assertNobodyAccused(scene);
  });

  await context.test('nobody lost its place: another image comes from the nearest holder alone', async () => {
    const other = await heldImage(scene, 2);
    await asker.pull(other.name);
    assert.deepEqual(await sourcesOf(asker, other), { [near.name]: sizeOf(other) });
    assert.equal(await cluster.upstream.bytesServed(), 0);
    await assertNobodyAccused(scene);
  });
});

async function layerGets(node: NetnsNode, layer: string): Promise<readonly MirrorPull[]> {
  return (await node.mirror.pulls()).filter(({ asker, key, method }) => {
    return asker === 'client' && method === 'GET' && key === layer;
  });
}
