import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findsImage } from '../find-image.ts';
import { firstNodeHost, planAddresses, upstreamHost } from './addresses.ts';
import type { AddressPlan, Family } from './addresses.ts';
import { claimClusterDirectory, furnishCapsule } from './capsule.ts';
import type { ContainerdOptions } from './containerd-config.ts';
import { until } from './conditions.ts';
import type { MirrorOptions } from './mirror-process.ts';
import { keepLogs } from './log-file.ts';
import { openBridge } from './network.ts';
import type { Bridge } from './network.ts';
import { openNamespace } from './namespace.ts';
import { openNode } from './node.ts';
import type { NetnsNode, NodeDeps } from './node.ts';
import { allOf, undoAfter, undoAll } from './undo.ts';
import { startPart } from './part-process.ts';
import type { PlacedImage } from './part-protocol.ts';
import { createUpstreamNode } from './upstream-node.ts';
import type { UpstreamNode } from './upstream-node.ts';

export interface NetnsClusterOptions {
  readonly nodes: number;
  /** `ipv6`: no IPv4 but each node's own 127.0.0.1, which containerd's streaming server wants. @default ipv4 */
  readonly family?: Family;
  /** Where the content is: `disk` is slower, and closer to a node's. @default memory */
  readonly store?: 'memory' | 'disk';
  readonly containerd?: ContainerdOptions;
  /** Starts a mirror on every node, and waits until all know each other. @default none is started */
  readonly mirrors?: MirrorOptions;
}

/** Nodes with real containerd, an upstream registry, and a network between them that can be slowed and broken. */
export interface NetnsCluster {
  readonly nodes: readonly NetnsNode[];
  readonly upstream: UpstreamNode;
  /** By its number from 0. Throws if there is none. */
  node(index: number): NetnsNode;
  /** One more node, without a mirror. */
  addNode(containerd?: ContainerdOptions): Promise<NetnsNode>;
  /** Starts mirrors on all nodes (or these), and waits until each is ready and knows the others. */
  startMirrors(options?: MirrorOptions, nodes?: readonly NetnsNode[]): Promise<void>;
  /** The node's mirror says that it holds so many keys: by default an image's blobs and its tag, of which it held none. */
  untilAdvertised(node: NetnsNode, keys: number): Promise<void>;
  /** The node's mirror finds all of the image, by tag and by digest: it asks for each, as a client does, and reads no body. */
  untilFound(node: NetnsNode, image: PlacedImage, parts?: 'all' | 'blobs'): Promise<void>;
  /** Bytes of all that belongs to an image. */
  sizeOf(image: PlacedImage): number;
  /** Takes everything down. Rejects, after having killed it, when something was left running. */
  close(): Promise<void>;
}

const registryHost = 'registry.example';
const registryPort = 5000;
const membersName = 'members.cluster';
/** So many addresses are kept for them. */
const nodesMax = 16;

/** Needs a capsule (`node tools/capsule.ts <command>`), and containerd on PATH. What was begun is undone when it fails. */
export async function startNetnsCluster(options: NetnsClusterOptions): Promise<NetnsCluster> {
  await furnishCapsule();
  const { index, directory } = await claimClusterDirectory();
  const undo: (() => Promise<unknown>)[] = [
    () => rm(directory, { recursive: true, force: true }),
    () => keepLogs(directory),
  ];
  const close = async (): Promise<void> => {
    await undoAll(undo);
  };
  try {
    const plan = planAddresses(options.family ?? 'ipv4', index);
    const bridge = await openBridge(plan, index);
    undo.push(bridge.close);
    const hostsFile = join(directory, 'hosts');
    await writeFile(hostsFile, hostsText(plan, options.nodes));
    const upstream = await openUpstream(plan, bridge, undo);
    const cluster = clusterOf({ plan, bridge, directory, hostsFile, upstream, options, undo, close });
    // Side by side: a containerd takes half a second.
    await allOf(Array.from({ length: options.nodes }, () => cluster.addNode()));
    if (options.mirrors !== undefined) await cluster.startMirrors(options.mirrors);
    return cluster;
  } catch (error) {
    return undoAfter(error, undo);
  }
}

function hostsText(plan: AddressPlan, nodes: number): string {
  const { loopback } = plan;
  const lines = [
    `${loopback.replaceAll(/[[\]]/g, '')} localhost`,
    `${plan.address(upstreamHost)} ${registryHost}`,
    ...Array.from({ length: nodes }, (_, at) => `${plan.address(firstNodeHost + at)} ${membersName} node-${at + 1}`),
  ];
  return `${lines.join('\n')}\n`;
}

async function openUpstream(
  plan: AddressPlan,
  bridge: Bridge,
  undo: (() => Promise<unknown>)[],
): Promise<UpstreamNode> {
  const namespace = await openNamespace([]);
  undo.push(namespace.close);
  const link = await bridge.connect(namespace, upstreamHost);
  undo.push(link.close);
  const address = plan.address(upstreamHost);
  const part = await startPart(namespace, 'upstream', { host: address, port: registryPort });
  undo.push(part.process.kill);
  const registry = `${registryHost}:${registryPort}`;
  return createUpstreamNode(namespace, link, part, { registry, url: `http://${registry}`, address, plan });
}

interface ClusterParts {
  readonly plan: AddressPlan;
  readonly bridge: Bridge;
  readonly directory: string;
  readonly hostsFile: string;
  readonly upstream: UpstreamNode;
  readonly options: NetnsClusterOptions;
  readonly undo: (() => Promise<unknown>)[];
  readonly close: () => Promise<void>;
}

function clusterOf(parts: ClusterParts): NetnsCluster {
  const { plan, bridge, directory, hostsFile, upstream, options, undo, close } = parts;
  const nodes: NetnsNode[] = [];
  const names = new Map<string, string>();
  const state = { claimed: 0 };
  const deps: NodeDeps = {
    plan,
    bridge,
    directory,
    hostsFile,
    membersName,
    registry: { registry: upstream.registry, server: upstream.url },
    nameOf: (memberId) => names.get(memberId) ?? memberId,
    onMirror: (node, { peerId }) => {
      if (peerId !== undefined) names.set(peerId, node);
    },
    isAnyMirrorRunning: () => nodes.some(({ hasMirror }) => hasMirror),
  };
  const addNode = async (containerd?: ContainerdOptions): Promise<NetnsNode> => {
    const at = state.claimed;
    if (at >= nodesMax) throw new RangeError(`a cluster here has at most ${nodesMax} nodes`);
    state.claimed += 1;
    const { node, close: closeNode } = await openNode(deps, {
      name: `node-${at + 1}`,
      host: firstNodeHost + at,
      store: options.store ?? 'memory',
      containerd: { ...options.containerd, ...containerd },
    });
    undo.push(closeNode);
    nodes[at] = node;
    if (at >= options.nodes) await writeFile(hostsFile, hostsText(plan, state.claimed));
    return node;
  };
  return {
    nodes,
    upstream,
    addNode,
    close,
    sizeOf: ({ blobs }) => [...blobs.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    node: (index) => {
      const found = nodes[index];
      if (found === undefined) throw new RangeError(`there is no node ${index}`);
      return found;
    },
    startMirrors: (mirrorOptions = {}, which = nodes) => startMirrors(which, mirrorOptions),
    untilAdvertised: ({ name, mirror }, keys) =>
      until(`${name} advertises ${keys} keys`, async () => {
        return ((await mirror.metrics()).value('peili_advertised_keys') ?? 0) >= keys;
      }),
    untilFound: (node, image, what = 'all') =>
      until(`${node.name} finds ${image.name}`, () => findsImage(node.registryUrl, image, what)),
  };
}

async function startMirrors(nodes: readonly NetnsNode[], options: MirrorOptions): Promise<void> {
  const mirrors = await allOf(nodes.map((node) => node.startMirror({ ...options, untilReady: false })));
  for (const [at, mirror] of mirrors.entries()) {
    if (nodes.length > 1) await until(`${nodes[at]?.name} is ready (see ${mirror.logFile})`, mirror.isReady);
    // Another program says so in another way, or not.
    if (options.program !== undefined) continue;
    await until(`${nodes[at]?.name} knows the others (see ${mirror.logFile})`, async () => {
      return ((await mirror.metrics()).value('peili_members') ?? 0) >= nodes.length - 1;
    });
  }
}
