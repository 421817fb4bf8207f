import { setTimeout as sleep } from 'node:timers/promises';
import { startNetnsCluster, until } from '../../testbed/index.ts';
import type { ContainerdOptions, NetnsCluster, NetnsNode, PlacedImage, UpstreamNode } from '../../testbed/index.ts';
import type { Bench } from '../bench.ts';
import type { MirrorProgram } from '../programs/mirror.ts';

/** One mirror's cluster of containerd nodes, with an upstream of its own. */
export interface Stage {
  readonly name: string;
  readonly cluster: NetnsCluster;
  readonly upstream: UpstreamNode;
  /** The node whose pulls are measured. */
  readonly asker: NetnsNode;
  /** Of the asker's zone, where the mirror knows zones: asked first. */
  readonly near: NetnsNode;
  /** Of another zone. */
  readonly far: NetnsNode;
  readonly all: readonly NetnsNode[];
  /** An image that nobody has seen, with layers of these sizes, at the upstream. */
  image(layerBytes: readonly number[]): Promise<PlacedImage>;
  /** Kills all mirrors and starts them afresh: nobody remembers what happened to whom. */
  restartMirrors(): Promise<void>;
  /** Starts the mirrors that do not run, all at once, and waits until each says that it is ready. */
  startMirrors(): Promise<void>;
  /** These nodes pull it at full speed, one after the other, and the asker finds all of it. */
  hold(image: PlacedImage, holders: readonly NetnsNode[]): Promise<void>;
  /** Nobody has it any more. */
  forget(image: PlacedImage): Promise<void>;
}

export interface StageOptions {
  /** How the asker's node process is started, where there is one. */
  readonly askerNodeArgs?: readonly string[];
  readonly containerd?: ContainerdOptions;
  /** Bits per second that the upstream sends; undefined: no cap. */
  readonly upstreamRate: number | undefined;
}

export const megabit = 1_000_000;
export const megabyte = 1_000_000;
/** What the upstream of every row sends, but where it is near. */
export const usualUpstreamRate = 400 * megabit;
const nodes = 4;
/** The second holder has said what it has, and everybody has heard it. */
const settleMs = 1000;
const loadTimeoutMs = 120_000;
const stopTimeoutMs = 3000;

/** Four nodes: records have their three keepers beside the asker. */
export async function startStage(bench: Bench, program: MirrorProgram, options: StageOptions): Promise<Stage> {
  const { askerNodeArgs = [], containerd = {}, upstreamRate } = options;
  const cluster = await startNetnsCluster({ nodes, containerd });
  bench.onEnd(cluster.close);
  // Gracefully: node writes its CPU profile at the end.
  bench.onEnd(() =>
    Promise.all(cluster.nodes.filter(({ hasMirror }) => hasMirror).map(({ mirror }) => mirror.stop(stopTimeoutMs))),
  );
  const { upstream } = cluster;
  const [asker, near, far] = [cluster.node(0), cluster.node(1), cluster.node(2)];
  const all = cluster.nodes;
  const state = { images: 0 };
  const startOne = async (node: NetnsNode): Promise<void> => {
    if (node.hasMirror) return;
    const mirror = await node.startMirror({
      program: program.onNode(node === asker ? askerNodeArgs : []),
      // The node's own: others would share an identity.
      flags: [...program.zoneFlags(node === far ? 'far' : 'near'), '--data-dir', '/run/containerd/mirror'],
      untilReady: false,
    });
    await until(`${program.name} on ${node.name} is ready`, mirror.isReady);
  };
  const startMirrors = async (): Promise<void> => {
    await Promise.all(all.map(startOne));
  };
  const stage: Stage = {
    name: program.name,
    cluster,
    upstream,
    asker,
    near,
    far,
    all,
    startMirrors,
    image: (layerBytes) => {
      state.images += 1;
      const name = `bench/image-${state.images}:1.0`;
      return upstream.addImage({ name, layers: layerBytes.map((sizeBytes) => ({ sizeBytes })) });
    },
    restartMirrors: async () => {
      await Promise.all(all.filter(({ hasMirror }) => hasMirror).map(({ mirror }) => mirror.kill()));
      await startMirrors();
    },
    hold: async (image, holders) => {
      await upstream.setRate(undefined);
      for (const node of holders) await node.pull(image.name, { timeoutMs: loadTimeoutMs });
      await cluster.untilFound(asker, image);
      if (holders.length > 1) await sleep(settleMs);
      await upstream.setRate(upstreamRate);
    },
    forget: async (image) => {
      await upstream.removeImage(image);
      // A node that never had it says so.
      for (const node of all) await node.removeImage(image.name).catch(() => undefined);
    },
  };
  await startMirrors();
  await upstream.setRate(upstreamRate);
  return stage;
}

/** Bytes of the image, all its blobs together. */
export function sizeOf(image: PlacedImage): number {
  return image.blobs.values().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** The digest of its largest blob. */
export function largestOf(image: PlacedImage): { readonly digest: string; readonly sizeBytes: number } {
  const [largest] = [...image.blobs].sort(([, a], [, b]) => b.sizeBytes - a.sizeBytes);
  if (largest === undefined) throw new TypeError(`${image.name} has no blobs`);
  return { digest: largest[0], sizeBytes: largest[1].sizeBytes };
}
