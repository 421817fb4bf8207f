import type { SpawnOptions, ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CriClient } from '../../transports/index.ts';
import type { AddressPlan } from './addresses.ts';
import { contentFilesOf } from './content-files.ts';
import type { ContentFiles } from './content-files.ts';
import { createContainerd } from './containerd-process.ts';
import type { Containerd } from './containerd-process.ts';
import type { ContainerdOptions } from './containerd-config.ts';
import { writeMirrorHosts, writePlainHosts } from './hosts-toml.ts';
import type { HostsTomlOptions } from './hosts-toml.ts';
import { configureHosts, mirrorPorts, startMirrorProcess } from './mirror-process.ts';
import type { Mirror, MirrorOptions } from './mirror-process.ts';
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

export interface NodeDeps {
  readonly plan: AddressPlan;
  readonly bridge: Bridge;
  /** Of the cluster; the node has a folder in it. */
  readonly directory: string;
  readonly hostsFile: string;
  readonly registry: Pick<HostsTomlOptions, 'registry' | 'server'>;
  readonly membersName: string;
  /** A member's node, by what the member calls itself. */
  readonly nameOf: (memberId: string) => string;
  readonly onMirror: (node: string, mirror: Mirror) => void;
  readonly isAnyMirrorRunning: () => boolean;
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
  const state: { mirror: Mirror | undefined; mirrors: number } = { mirror: undefined, mirrors: 0 };
  const tracked = trackChildren(namespace);
  const ownMirror = `http://${plan.loopback}:${mirrorPorts.registry}`;
  const url = `http://${plan.urlHost(host)}`;

  const writeHosts = (mirrors: readonly string[] = [ownMirror], resolveTags = true): Promise<void> => {
    const options = { directory: files.certsDirectory, ...deps.registry };
    return mirrors.length === 0 ? writePlainHosts(options) : writeMirrorHosts({ ...options, mirrors, resolveTags });
  };
  const startMirror = async (options: MirrorOptions = {}): Promise<Mirror> => {
    if (state.mirror?.isRunning() === true) throw new Error(`${name} has a mirror that runs`);
    if (options.configure ?? state.mirrors === 0) {
      await configureHosts(namespace, options, deps.registry.server, ownMirror);
    }
    state.mirrors += 1;
    const mirrorPlaces = {
      logFile: join(files.logs, `mirror-${state.mirrors}.log`),
      url,
      loopback: plan.loopback,
      membersName: deps.membersName,
      routerHost: plan.urlHost(host),
    };
    const untilReady = options.untilReady ?? deps.isAnyMirrorRunning();
    state.mirror = await startMirrorProcess(namespace, { ...options, untilReady }, mirrorPlaces, deps.nameOf);
    deps.onMirror(name, state.mirror);
    return state.mirror;
  };
  const end = async (): Promise<void> => {
    await state.mirror?.kill();
    await tracked.killAll();
    // It may have been stopped by the test.
    await containerd.kill().catch(() => undefined);
  };
  const node: NetnsNode = {
    name,
    address: plan.address(host),
    registryUrl: `${url}:${mirrorPorts.registry}`,
    containerd,
    get cri() {
      return containerd.cri;
    },
    get mirror() {
      if (state.mirror === undefined) throw new Error(`${name} has no mirror: startMirror() first`);
      return state.mirror;
    },
    get hasMirror() {
      return state.mirror?.isRunning() === true;
    },
    get hasStartedMirror() {
      return state.mirror !== undefined;
    },
    content: contentFilesOf(join(files.libContainerd, 'io.containerd.content.v1.content')),
    files,
    namespace: tracked.namespace,
    link,
    startMirror,
    writeHosts,
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
    dropTraffic: (other) => {
      const from = other === 'all' ? [] : ['-s', other.address];
      const to = other === 'all' ? [] : ['-d', other.address];
      return dropPackets(namespace, plan, [
        ['INPUT', '-i', 'eth0', '-p', 'tcp', ...from],
        ['OUTPUT', '-o', 'eth0', '-p', 'tcp', ...to],
      ]);
    },
  };
  return { node, end };
}
