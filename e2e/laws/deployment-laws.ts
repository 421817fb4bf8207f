import assert from 'node:assert/strict';
import { until } from '../../testbed/index.ts';
import type { PlacedImage, TestbedNode } from '../../testbed/index.ts';
import { largestOf, sizeOf } from './law.ts';
import type { Law, Scene } from './law.ts';
import { heldBy, kubernetesOf, workersOf } from './pod-scene.ts';

const holderBytesPerSecond = 6_000_000;
const middleBytes = 6_000_000;
const certsDirectory = '/etc/containerd/certs.d';
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

/** What a chart adds. The last one takes the mirrors away for a while. */
export const deploymentLaws: readonly Law[] = [
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
  switchLaw,
  {
    name: "deployment: every node's containerd has proven that it asks its mirror",
    needs: ['pods'],
    prove: async (scene) => {
      for (const node of scene.nodes) {
        const hasArrived = async (): Promise<boolean> => (await node.mirror.log()).includes('"arrived":true');
        await until(`the canary has arrived at ${node.name}`, hasArrived);
      }
    },
  },
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
