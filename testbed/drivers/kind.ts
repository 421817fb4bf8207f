import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { containerTestbed, containerTestbedNode, untilMeshed } from '../docker/container-testbed.ts';
import { openContainerNode } from '../docker/container-node.ts';
import { needDocker, newTestbedName } from '../docker/docker-cli.ts';
import { startGatewayUpstream } from '../docker/gateway-upstream.ts';
import { daemonSetMirror } from '../kind/daemon-set-mirror.ts';
import type { ReleaseNames } from '../kind/daemon-set-mirror.ts';
import { createKindCluster, kindNetwork, sweepKindClusters } from '../kind/kind-cluster.ts';
import type { KindCluster } from '../kind/kind-cluster.ts';
import { runPod } from '../kind/pods.ts';
import { allOf, undoAfter, undoAll } from '../netns/undo.ts';
import type { Testbed, TestbedKubernetes, TestbedOptions } from './driver.ts';

const lacks = {
  'stays-dead': 'the kubelet starts a mirror again',
} as const satisfies Testbed['lacks'];

const release = 'peili';
const names: ReleaseNames = {
  namespace: 'peili',
  daemonSet: 'peili',
  container: 'registry',
  registryPort: 30020,
  metricsPort: 9090,
};
const installLimitMs = 240_000;
/** What `npm run image` makes of a checkout. */
const imageArchive = `dist/image/peili-${process.arch === 'arm64' ? 'arm64' : 'amd64'}.tar`;

/** A Kubernetes cluster through the kind CLI, with the chart installed: the first node is the control plane, and has a mirror too. */
export async function startKindTestbed(options: TestbedOptions): Promise<Testbed> {
  await needDocker();
  await sweepKindClusters();
  const { chart = inCheckout('deploy/chart'), archive = inCheckout(imageArchive) } = options.kind ?? {};
  for (const path of [chart, archive]) {
    if (!existsSync(path)) throw new Error(`${path} is missing: npm run build, npm run image`);
  }
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const cluster = await createKindCluster(newTestbedName(), { nodes: options.nodes, zones: options.zones ?? [] });
    undo.push(cluster.close);
    const inside = await allOf(cluster.nodes.map(({ name }) => openContainerNode(name, kindNetwork)));
    const upstream = await startGatewayUpstream(kindNetwork, options.upstream, () => inside);
    undo.push(upstream.close);
    await cluster.load(archive);
    const nodes = cluster.nodes.map(({ name, zone }, at) => {
      const node = inside[at];
      if (node === undefined) throw new RangeError(`there is no node ${at}`);
      const service = daemonSetMirror(cluster, node, names);
      return containerTestbedNode({ name, zone }, node, service, (pod) => runPod(cluster, node, pod));
    });
    const kubernetes = kubernetesOf(cluster, chart, upstream.url, () => untilMeshed(nodes));
    await kubernetes.install();
    const placed = [];
    for (const image of options.images ?? []) placed.push(await upstream.addImage(image));
    const dispose = (): Promise<void> => undoAll(undo);
    return containerTestbed(nodes, { driver: 'kind', lacks, upstream, images: placed, kubernetes, dispose });
  } catch (error) {
    return undoAfter(error, undo);
  }
}

function inCheckout(path: string): string {
  const top = import.meta.url.endsWith('.ts') ? '../../' : '../../../';
  return fileURLToPath(new URL(`${top}${path}`, import.meta.url));
}

function kubernetesOf(
  { kubeconfig, kubectl, helm }: KindCluster,
  chart: string,
  registry: string,
  untilReady: () => Promise<void>,
): TestbedKubernetes {
  const values = {
    // It is on every node, and nowhere else.
    image: { pullPolicy: 'Never' },
    peili: { mirroredRegistries: [registry], requestLog: true },
  };
  return {
    kubeconfig,
    kubectl,
    namespace: names.namespace,
    daemonSet: names.daemonSet,
    install: async (more = {}) => {
      const place = ['--namespace', names.namespace, '--create-namespace'];
      const args = ['upgrade', '--install', release, chart, ...place, '--values', '-', '--wait', '--timeout', '180s'];
      await helm(args, { timeoutMs: installLimitMs, input: JSON.stringify({ ...values, ...more }) });
      await untilReady();
    },
    uninstall: async () => {
      await helm(['uninstall', release, '--namespace', names.namespace, '--wait'], { timeoutMs: installLimitMs });
    },
  };
}
