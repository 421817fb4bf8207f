import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import process from 'node:process';
import { createImage, pauseProgram } from '../../testbed/index.ts';
import type { LayerOptions, PlacedImage, TestbedNode } from '../../testbed/index.ts';
import type { Law, Scene } from './law.ts';
import { heldBy, podName, workersOf } from './pod-scene.ts';
import type { Held } from './pod-scene.ts';

const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
const program: LayerOptions = { files: [{ path: 'pause', content: pauseProgram(architecture), mode: 0o755 }] };
const weightsPath = 'models/weights.bin';
const model: readonly LayerOptions[] = [
  {
    files: [
      { path: 'models/config.json', content: '{"architectures":["Tiny"]}\n' },
      { path: 'models/tokenizer.json', content: '[]' },
    ],
  },
  { sizeBytes: 6_000_000, path: weightsPath },
];
/** The kubelet's own steps take a second; an image that is nowhere has to cost no more. */
const refusedWithinMs = 20_000;

/** The digest of the file that a generated layer has: what stands between its header and the zeros after it. */
async function digestOfFile({ options }: Held, sizeBytes: number): Promise<string> {
  const { blobs } = await createImage(options);
  const layer = [...blobs.values()].find((blob) => blob.sizeBytes === sizeBytes);
  assert.ok(layer);
  const room = sizeBytes - 3 * 512;
  const hash = createHash('sha256');
  for await (const chunk of layer.open(512, 512 + room - (room % 512))) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

const ways: Readonly<Record<string, (image: PlacedImage) => string>> = {
  tag: ({ name }) => name,
  digest: ({ registry, repository, root }) => `${registry}/${repository}@${root.digest}`,
  'tag and digest': ({ name, root }) => `${name}@${root.digest}`,
};

const podsByReference: readonly Law[] = Object.entries(ways).map(([way, referenceOf]) => ({
  name: `pod: by ${way}, packets to the upstream vanish: it runs on a node that never had the image`,
  needs: ['pods'],
  prove: async (scene: Scene) => {
    const { image } = await heldBy(scene, [program, { sizeBytes: 3_000_000 }]);
    await scene.upstream.cut('black-hole');
    const asker = workersOf(scene)[1];
    const pod = await asker.run({ name: podName(), image: referenceOf(image) });
    await scene.assertFromMembers(asker, image);
    await pod.remove();
  },
}));

const podFaults: readonly Law[] = [
  {
    name: 'pod: an image that is nowhere fails fast',
    needs: ['pods'],
    prove: async (scene) => {
      const startMs = performance.now();
      const image = `${scene.upstream.registry}/team/nowhere:3.0`;
      await assert.rejects(workersOf(scene)[1].run({ name: podName(), image }), /not found/);
      const tookMs = performance.now() - startMs;
      assert.ok(tookMs < refusedWithinMs, `${tookMs} ms`);
    },
  },
  {
    name: 'volume: an image mounted on a node that never had it, without the upstream, right to the byte',
    needs: ['pods'],
    prove: async (scene) => {
      const base = await heldBy(scene, [program]);
      const held = await heldBy(scene, model);
      await scene.upstream.cut('black-hole');
      const asker = workersOf(scene)[1];
      // As a model server has it: all of the image, and its folder of models.
      const pod = await asker.run({
        name: podName(),
        image: base.image.name,
        volumes: [
          { reference: held.image.name, path: '/all' },
          { reference: held.image.name, path: '/mnt/models', subPath: 'models' },
        ],
      });
      const expected = await digestOfFile(held, 6_000_000);
      assert.equal(await pod.digestOf(`/all/${weightsPath}`), expected);
      assert.equal(await pod.digestOf('/mnt/models/weights.bin'), expected);
      const config = createHash('sha256').update('{"architectures":["Tiny"]}\n').digest('hex');
      assert.equal(await pod.digestOf('/mnt/models/config.json'), `sha256:${config}`);
      await scene.assertFromMembers(asker, held.image);
      await pod.remove();
    },
  },
];

const gibibyte = 1024 ** 3;
const largeLimitMs = 400_000;

const largeLaw: Law = {
  name: 'volume: 2 GiB, from the upstream and then from a member: the same file',
  needs: ['pods'],
  isLong: true,
  prove: async (scene) => {
    const base = await heldBy(scene, [program]);
    const [holder, asker] = workersOf(scene);
    await asker.pull(base.image.name);
    const layers = [{ sizeBytes: 2 * gibibyte + 4096, path: weightsPath }];
    const large = await scene.upstream.addImage({ name: 'models/large:1.0', layers });
    const mounted = async (node: TestbedNode): Promise<string> => {
      const volumes = [{ reference: large.name, path: '/all' }];
      const pod = await node.run({ name: podName(), image: base.image.name, volumes, timeoutMs: largeLimitMs });
      const digest = await pod.digestOf(`/all/${weightsPath}`);
      await pod.remove();
      return digest;
    };
    const first = await mounted(holder);
    await scene.untilFound(asker, large);
    await scene.upstream.resetCounts();
    await scene.upstream.cut('black-hole');
    assert.equal(await mounted(asker), first);
    await scene.assertFromMembers(asker, large);
  },
};

/** What a kubelet adds. */
export const podLaws: readonly Law[] = [...podsByReference, ...podFaults, largeLaw];
