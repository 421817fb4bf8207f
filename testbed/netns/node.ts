import type { SpawnOptions, ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CriClient } from '../../transports/index.ts';
import { contentFilesOf } from './content-files.ts';
import type { ContentFiles } from './content-files.ts';
import { createContainerd } from './containerd-process.ts';
import type { Containerd } from './containerd-process.ts';
import type { ContainerdOptions } from './containerd-config.ts';
import { mirrorPorts } from './mirror-process.ts';
import type { Mirror, MirrorOptions } from './mirror-process.ts';
import { createMirrorSlot } from './mirror-slot.ts';
import type { MirrorSlotDeps } from './mirror-slot.ts';
import { openNamespace, trackChildren } from './namespace.ts';
import type { Namespace } from './namespace.ts';
import { dropPackets } from './network.ts';
import type { Bridge, Link } from './network.ts';
import { mountNamelessDisk } from './disk.ts';
import { importImage } from './import-image.ts';
import { startNodeFaultProxy } from './node-proxy.ts';
import type { NodeFaultProxy } from './node-proxy.ts';
import type { NodeFaultRule } from './part-protocol.ts';
import type { TestImage } from '../image.ts';
import { watchWire } from './wire.ts';
import type { WireWatch } from './wire.ts';
import { run } from './run.ts';
import { undoAfter, undoAll } from './undo.ts';

/** What this process and the node call the same files. */
export interface NodeFiles {
  /** The node's folder, which the node sees at the same path; all others are in it. */
  readonly directory: string;
  /** The node's `/etc/containerd`. */
  readonly etcContainerd: string;
  /** The node's `/run/containerd`. */
  readonly runContainerd: string;
  /** The node's `/var/lib/containerd`. */
  readonly libContainerd: string;
  /** The node's `/etc/containerd/certs.d`. */
  readonly certsDirectory: string;
  /** Logs of what runs on the node. */
  readonly logs: string;
}

export interface PullOutcome {
  readonly imageId: string;
  readonly tookMs: number;
}

/** A Kubernetes node without the kubelet: containerd and a mirror in namespaces of their own, at their default paths. */
export interface NetnsNode {
  /** `node-1` ... */
  readonly name: string;
  readonly address: string;
  /** The node's mirror as other nodes and the test process reach it: `http://10.77.0.11:5000`. */
  readonly registryUrl: string;
  readonly containerd: Containerd;
  /** Of the containerd that runs now. */
  readonly cri: CriClient;
  /** Throws before `startMirror`. */
  readonly mirror: Mirror;
  /** Runs now. */
  readonly hasMirror: boolean;
  readonly hasStartedMirror: boolean;
  readonly content: ContentFiles;
  readonly files: NodeFiles;
  readonly namespace: Namespace;
  readonly link: Link;
  /** Starts the mirror; again after it has ended. */
  startMirror(options?: MirrorOptions): Promise<Mirror>;
  /** hosts.toml of the upstream's registry with this node's mirror in front, or (`mirrors: []`) without one. */
  writeHosts(mirrors?: readonly string[], resolveTags?: boolean): Promise<void>;
  /** Pulls through CRI, as the kubelet would. @default timeoutMs 60000 */
  pull(reference: string, options?: { readonly timeoutMs?: number }): Promise<PullOutcome>;
  removeImage(reference: string): Promise<void>;
  /** Runs a command on the node, with the node's files and network, to its end: its output. */
  exec(command: readonly string[]): Promise<string>;
  /** Starts a command on the node; killed with the cluster. */
  spawn(command: readonly string[], options: SpawnOptions): ChildProcess;
  /** The cable. */
  unplug(): Promise<void>;
  plug(): Promise<void>;
  /** @default direction 'send' */
  setRate(bitsPerSecond: number | undefined, direction?: 'send' | 'receive'): Promise<void>;
  /** Breaks what others get from this node's mirror, to the byte. One at a time. */
  startFaultProxy(rules: readonly NodeFaultRule[]): Promise<NodeFaultProxy>;
  /** Listens for FIN and RST of connections to the mirror: `lo` to this node's containerd, `eth0` to other nodes. */
  watchWire(device: 'lo' | 'eth0', port?: number): Promise<WireWatch>;
  /** Imports an image as `ctr image import` does, and k3s its tarballs: no registry is asked, and no label says where it came from. */
  importImage(image: TestImage): Promise<void>;
  /** Packets between this node and the other one (or all) vanish. Resolves with what ends it. */
  dropTraffic(other: { readonly address: string } | 'all'): Promise<() => Promise<void>>;
}

export interface NodeDeps extends MirrorSlotDeps {
  readonly bridge: Bridge;
  /** Of the cluster; the node has a folder in it. */
  readonly directory: string;
  readonly hostsFile: string;
}

export interface NodeSettings {
  readonly name: string;
  readonly host: number;
  readonly store: 'memory' | 'disk';
  readonly containerd: ContainerdOptions;
}

/** A node, and what takes it down. */
export interface OpenedNode {
  readonly node: NetnsNode;
  close(): Promise<void>;
}

/** Opens the node's namespaces and starts its containerd. What was begun is undone when it fails. */
export async function openNode(deps: NodeDeps, settings: NodeSettings): Promise<OpenedNode> {
  const files = await makeFiles(join(deps.directory, settings.name));
  const undo: (() => Promise<unknown>)[] = [];
  const close = (): Promise<void> => undoAll(undo);
  try {
    if (settings.store === 'disk') {
      await mountNamelessDisk(files.libContainerd);
      undo.push(() => run(['umount', files.libContainerd]));
    }
    const namespace = await openNamespace([
      { source: files.runContainerd, target: '/run/containerd' },
      { source: files.libContainerd, target: '/var/lib/containerd' },
      { source: files.etcContainerd, target: '/etc/containerd' },
      { source: deps.hostsFile, target: '/etc/hosts' },
    ]);
    undo.push(namespace.close);
    const link = await deps.bridge.connect(namespace, settings.host);
    undo.push(link.close);
    const { node, end } = nodeOf(deps, settings, files, namespace, link);
    undo.push(end);
    await node.writeHosts([]);
    await node.containerd.start();
    return { node, close };
  } catch (error) {
    return undoAfter(error, undo);
  }
}

async function makeFiles(directory: string): Promise<NodeFiles> {
  const folder = async (name: string): Promise<string> => {
    const path = join(directory, name);
    await mkdir(path, { recursive: true });
    return path;
  };
  return {
    directory,
    etcContainerd: await folder('etc-containerd'),
    certsDirectory: await folder('etc-containerd/certs.d'),
    runContainerd: await folder('run-containerd'),
    libContainerd: await folder('lib-containerd'),
    logs: await folder('logs'),
  };
}

function nodeOf(
  deps: NodeDeps,
  { name, host, containerd: containerdOptions }: NodeSettings,
  files: NodeFiles,
  namespace: Namespace,
  link: Link,
): { node: NetnsNode; end: () => Promise<void> } {
  const { plan } = deps;
  const places = {
    configFile: join(files.etcContainerd, 'config.toml'),
    socket: join(files.runContainerd, 'containerd.sock'),
    logFile: join(files.logs, 'containerd.log'),
  };
  const containerd = createContainerd(namespace, places, containerdOptions);
  const tracked = trackChildren(namespace);
  const mirrors = createMirrorSlot(namespace, deps, { name, host, files });
  const end = async (): Promise<void> => {
    if (mirrors.hasStarted()) await mirrors.current().kill();
    await tracked.killAll();
    if (containerd.isRunning()) await containerd.kill();
  };
  const node: NetnsNode = {
    name,
    address: plan.address(host),
    registryUrl: `http://${plan.urlHost(host)}:${mirrorPorts.registry}`,
    containerd,
    get cri() {
      return containerd.cri;
    },
    get mirror() {
      return mirrors.current();
    },
    get hasMirror() {
      return mirrors.isRunning();
    },
    get hasStartedMirror() {
      return mirrors.hasStarted();
    },
    content: contentFilesOf(join(files.libContainerd, 'io.containerd.content.v1.content')),
    files,
    namespace: tracked.namespace,
    link,
    startMirror: mirrors.start,
    writeHosts: mirrors.writeHosts,
    pull: async (reference, { timeoutMs = 60_000 } = {}) => {
      const startMs = performance.now();
      const imageId = await containerd.cri.pullImage(reference, AbortSignal.timeout(timeoutMs));
      return { imageId, tookMs: performance.now() - startMs };
    },
    removeImage: (reference) => containerd.cri.removeImage(reference, AbortSignal.timeout(10_000)),
    exec: namespace.run,
    spawn: tracked.namespace.spawn,
    unplug: link.unplug,
    plug: link.plug,
    setRate: (bitsPerSecond, direction = 'send') => link.setRate(bitsPerSecond, direction),
    startFaultProxy: (rules) => startNodeFaultProxy(tracked.namespace, plan, plan.address(host), rules),
    watchWire: (device, port = mirrorPorts.registry) => watchWire(tracked.namespace, device, port),
    importImage: (image) => importImage(namespace, files.directory, image),
    dropTraffic: (other) => dropPackets(namespace, plan, other === 'all' ? undefined : other.address),
  };
  return { node, end };
}
