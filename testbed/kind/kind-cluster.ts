import { join } from 'node:path';
import process from 'node:process';
import { command, isAlive, makeFolder, ownerOf, removeFolder, sweepFolders } from '../docker/docker-cli.ts';
import type { RunOptions } from '../docker/docker-cli.ts';
import type { FoundTestbed } from '../docker/sweep.ts';
import { until } from '../netns/conditions.ts';
import { undoAfter } from '../netns/undo.ts';

export interface KindNode {
  /** As Kubernetes and Docker call it. */
  readonly name: string;
  readonly zone: string | undefined;
}

/** A Kubernetes cluster of containers, by the kind CLI: all its nodes are ready, and its DNS answers. */
export interface KindCluster {
  readonly name: string;
  readonly nodes: readonly KindNode[];
  readonly kubeconfig: string;
  kubectl(args: readonly string[], options?: RunOptions): Promise<string>;
  helm(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Puts an image archive into every node's store. */
  load(archive: string): Promise<void>;
  close(): Promise<void>;
}

/** The network that kind puts all clusters on. */
export const kindNetwork = 'kind';
const zoneLabel = 'topology.kubernetes.io/zone';
const createLimitMs = 300_000;
const readyLimitMs = 180_000;

/** The first node is the control plane; it carries pods too. */
export async function createKindCluster(
  name: string,
  options: { readonly nodes: number; readonly zones: readonly string[] },
): Promise<KindCluster> {
  const folder = await makeFolder(name);
  const kubeconfig = join(folder, 'kubeconfig');
  const close = (): Promise<void> => removeKindTestbed(name);
  const kubectl: KindCluster['kubectl'] = (args, run) => command('kubectl', ['--kubeconfig', kubeconfig, ...args], run);
  const nodes = namesOf(name, options.nodes).map((node, at) => ({
    name: node,
    zone: options.zones[at % options.zones.length],
  }));
  const image = process.env['KIND_NODE_IMAGE'] ?? '';
  const flags = ['--name', name, '--kubeconfig', kubeconfig, '--config', '-', '--retain', '--wait', '90s'];
  try {
    await kind(['create', 'cluster', ...flags, ...(image === '' ? [] : ['--image', image])], {
      timeoutMs: createLimitMs,
      input: JSON.stringify(configOf(nodes)),
    });
    // It has waited for the control plane alone.
    await until(`all ${nodes.length} nodes of ${name} are ready`, () => areNodesReady(kubectl, nodes), readyLimitMs);
    await kubectl(['-n', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=180s'], {
      timeoutMs: readyLimitMs,
    });
    return {
      name,
      nodes,
      kubeconfig,
      kubectl,
      close,
      helm: (args, run) => command('helm', ['--kubeconfig', kubeconfig, ...args], run),
      load: async (archive) => {
        await kind(['load', 'image-archive', archive, '--name', name]);
      },
    };
  } catch (error) {
    return undoAfter(error, [() => keepLogs(name), close].reverse());
  }
}

/** The clusters of testbeds that are there. */
export async function listKindTestbeds(): Promise<readonly FoundTestbed[]> {
  const names = (await kind(['get', 'clusters'])).split('\n');
  return names.flatMap((name): FoundTestbed[] => {
    const pid = ownerOf(name);
    return pid === undefined ? [] : [{ name, driver: 'kind', pid, isOwned: isAlive(pid) }];
  });
}

export async function removeKindTestbed(name: string): Promise<void> {
  await kind(['delete', 'cluster', '--name', name]);
  await removeFolder(name);
}

/** Removes what processes that have ended without a word left behind. */
export async function sweepKindClusters(): Promise<void> {
  await sweepFolders();
  for (const { name, isOwned } of await listKindTestbeds()) {
    if (!isOwned) await removeKindTestbed(name);
  }
}

function kind(args: readonly string[], options?: RunOptions): Promise<string> {
  return command('kind', args, options);
}

/** As kind names its containers: one worker has no number. */
function namesOf(cluster: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) =>
    at === 0 ? `${cluster}-control-plane` : `${cluster}-worker${at === 1 ? '' : at}`,
  );
}

/** Stock node images discard layers and know no certs.d; kind skips the patch of another version. */
const containerdPatches: readonly string[] = [
  `version = 2
[plugins."io.containerd.grpc.v1.cri".containerd]
discard_unpacked_layers = false
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "/etc/containerd/certs.d"
`,
  `version = 3
[plugins."io.containerd.cri.v1.images"]
discard_unpacked_layers = false
[plugins."io.containerd.cri.v1.images".registry]
config_path = "/etc/containerd/certs.d"
`,
];

function configOf(nodes: readonly KindNode[]): object {
  return {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    featureGates: { ImageVolume: true },
    containerdConfigPatches: containerdPatches,
    nodes: nodes.map(({ zone }, at) => ({
      role: at === 0 ? 'control-plane' : 'worker',
      ...(zone === undefined ? {} : { labels: { [zoneLabel]: zone } }),
    })),
  };
}

async function areNodesReady(kubectl: KindCluster['kubectl'], nodes: readonly KindNode[]): Promise<boolean> {
  const path = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  const text = await kubectl(['get', 'nodes', '--output', `jsonpath=${path}`]).catch(() => '');
  return text.split('\n').filter((line) => line === 'True').length === nodes.length;
}

async function keepLogs(name: string): Promise<void> {
  const folder = process.env['PEILI_TESTBED_LOGS'];
  if (folder !== undefined) await kind(['export', 'logs', join(folder, name), '--name', name]);
}
