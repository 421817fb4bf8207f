import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import process from 'node:process';
import { createImage, pauseProgram, until } from '../../testbed/index.ts';
import type { ImageOptions, LayerOptions, PlacedImage, TestbedKubernetes, TestbedNode } from '../../testbed/index.ts';
import { largestOf, sizeOf } from './law.ts';
import type { Law, Scene } from './law.ts';

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
const holderBytesPerSecond = 6_000_000;
const middleBytes = 6_000_000;
/** The kubelet's own steps take a second; an image that is nowhere has to cost no more. */
const refusedWithinMs = 20_000;
const certsDirectory = '/etc/containerd/certs.d';

const numbers = { pods: 0 };

interface Held {
  readonly image: PlacedImage;
  readonly options: ImageOptions;
}

/** Where pods are, the first node is the control plane: the second holds, the third has never had it. */
function workersOf(scene: Scene): readonly [holder: TestbedNode, asker: TestbedNode] {
  return [scene.node(1), scene.node(2)];
}

function kubernetesOf({ kubernetes }: Scene): TestbedKubernetes {
  assert.ok(kubernetes, 'a testbed with pods has a Kubernetes');
  return kubernetes;
}

/** An image that one worker has pulled and the other finds there; what the upstream gave for it is forgotten. */
async function heldBy(scene: Scene, layers: readonly LayerOptions[]): Promise<Held> {
  const [holder, asker] = workersOf(scene);
  numbers.pods += 1;
  const options = { name: `team/pod-${numbers.pods}:1.0`, seed: numbers.pods, layers, command: ['/pause'] };
  const image = await scene.upstream.addImage(options);
  await holder.pull(image.name);
  await scene.untilFound(asker, image);
  await scene.upstream.resetCounts();
  return { image, options: { ...options, name: image.name } };
}

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

function podName(): string {
  numbers.pods += 1;
  return `law-${numbers.pods}`;
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
  {
    name: "deployment: the holder's mirror pod is deleted by force in mid-body: the pull goes on",
    needs: ['pods', 'links'],
    prove: (scene) => deleteInMidBody(scene, (holder) => holder),
  },
  {
    name: 'deployment: the own mirror pod is deleted by force in mid-body: the pull goes on',
    needs: ['pods', 'links'],
    prove: (scene) => deleteInMidBody(scene, (_holder, asker) => asker),
  },
];

/** What the kubelet takes to renew a file of a ConfigMap, and a little. */
const switchedWithinMs = 90_000;

const switchLaw: Law = {
  name: 'deployment: the kill switch: every mirror is off within 90 s and on again, and none is restarted',
  needs: ['pods'],
  prove: async (scene) => {
    const { kubectl, namespace, daemonSet } = kubernetesOf(scene);
    const [holder, asker] = workersOf(scene);
    const { image } = await heldBy(scene, [{ sizeBytes: 1_000_000 }]);
    const turn = async (mode: 'on' | 'off', status: number): Promise<void> => {
      const patch = JSON.stringify({ data: { mode } });
      await kubectl(['-n', namespace, 'patch', 'configmap', `${daemonSet}-mode`, '--patch', patch]);
      const isTurned = async (node: TestbedNode): Promise<boolean> => (await statusOf(node, image)) === status;
      for (const node of [holder, asker])
        await until(`${node.name} is ${mode}`, () => isTurned(node), switchedWithinMs);
    };
    const before = await mirrorsOf(scene);
    await turn('off', 404);
    await asker.pull(image.name);
    assert.equal(await scene.upstream.bytesServed(), sizeOf(image), 'a mirror that is off gave something');
    await turn('on', 200);
    assert.equal(await mirrorsOf(scene), before);
  },
};

/** What a node's mirror answers for an image's tag. */
async function statusOf({ registryUrl }: TestbedNode, { repository, tag, registry }: PlacedImage): Promise<number> {
  const url = `${registryUrl}/v2/${repository}/manifests/${tag}?ns=${registry}`;
  return (await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(5000) })).status;
}

/** Every mirror by its pod's identity, and how often it was restarted. */
function mirrorsOf(scene: Scene): Promise<string> {
  const { kubectl, namespace } = kubernetesOf(scene);
  const path = '{range .items[*]}{.metadata.uid} {.status.containerStatuses[*].restartCount}{"\\n"}{end}';
  return kubectl(['-n', namespace, 'get', 'pods', '--output', `jsonpath=${path}`]);
}

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

async function deleteInMidBody(
  scene: Scene,
  choose: (holder: TestbedNode, asker: TestbedNode) => TestbedNode,
): Promise<void> {
  const { kubectl, namespace } = kubernetesOf(scene);
  const [holder, asker] = workersOf(scene);
  const { image } = await heldBy(scene, [{ sizeBytes: 40_000_000 }]);
  const { digest, sizeBytes } = largestOf(image);
  await scene.links.shape(holder, holderBytesPerSecond);
  const pull = asker.pull(image.name, { timeoutMs: 90_000 });
  pull.catch(() => undefined);
  await until('it is in mid-body', async () => {
    const bytes = await asker.receivedBytes(digest);
    assert.ok(bytes < sizeBytes, 'the layer was there before anything could happen to it');
    return bytes >= middleBytes;
  });
  const field = ['--field-selector', `spec.nodeName=${choose(holder, asker).name}`];
  await kubectl(['-n', namespace, 'delete', 'pods', ...field, '--grace-period=0', '--force']);
  await pull;
  assert.ok(await asker.holds(image));
  const bytes = await scene.upstream.bytesServed();
  assert.ok(bytes <= sizeOf(image) - middleBytes / 2, `the upstream gave ${bytes} of ${sizeOf(image)} bytes`);
}

const deploymentLaws: readonly Law[] = [
  {
    name: 'deployment: a rolling restart of all mirrors while pulls go on: none fails',
    needs: ['pods'],
    prove: async (scene) => {
      const { kubectl, namespace, daemonSet } = kubernetesOf(scene);
      const rolled = { done: false };
      const restart = async (): Promise<void> => {
        await kubectl(['-n', namespace, 'rollout', 'restart', `daemonset/${daemonSet}`]);
        await kubectl(['-n', namespace, 'rollout', 'status', `daemonset/${daemonSet}`, '--timeout=180s'], {
          timeoutMs: 190_000,
        });
      };
      const restarting = restart().finally(() => {
        rolled.done = true;
      });
      restarting.catch(() => undefined);
      const pulls = { count: 0 };
      while (!rolled.done) {
        const image = await scene.freshImage();
        for (const node of scene.nodes) await node.pull(image.name);
        pulls.count += scene.nodes.length;
      }
      await restarting;
      assert.ok(pulls.count >= 2 * scene.nodes.length, `${pulls.count} pulls are no proof`);
    },
  },
  {
    name: 'deployment: uninstalled, certs.d is as it was, to the byte; installed again, mirrors are used again',
    needs: ['pods'],
    prove: async (scene) => {
      const { install, uninstall } = kubernetesOf(scene);
      const [holder, asker] = workersOf(scene);
      await uninstall();
      const folder = `${certsDirectory}/${scene.upstream.registry}`;
      const text = `# by hand\nserver = "http://${scene.upstream.registry}"\n`;
      await asker.exec(['sh', '-c', `mkdir -p ${folder} && printf '%s' '${text}' > ${folder}/hosts.toml`]);
      const before = await Promise.all(scene.nodes.map(certsOf));
      await install();
      const during = await Promise.all(scene.nodes.map(certsOf));
      for (const [at, certs] of during.entries()) assert.notEqual(certs, before[at], 'nothing was written');
      const image = await scene.freshImage();
      await holder.pull(image.name);
      await scene.untilFound(asker, image);
      await scene.upstream.resetCounts();
      await scene.upstream.cut();
      await asker.pull(image.name);
      await scene.assertFromMembers(asker, image);
      await scene.upstream.restore();
      await uninstall();
      assert.deepEqual(await Promise.all(scene.nodes.map(certsOf)), before);
      await asker.exec(['rm', '-r', folder]);
      await install();
    },
  },
];

/** Every file of certs.d with its digest and its mode. */
function certsOf(node: TestbedNode): Promise<string> {
  const script = `mkdir -p ${certsDirectory}; cd ${certsDirectory}; find . -type f -printf '%m ' -exec sha256sum {} ';' | sort`;
  return node.exec(['sh', '-c', script]);
}

/** What a kubelet and a chart add. The last one takes the mirrors away for a while. */
export const podLaws: readonly Law[] = [...podsByReference, ...podFaults, switchLaw, largeLaw, ...deploymentLaws];
