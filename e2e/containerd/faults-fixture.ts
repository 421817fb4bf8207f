import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { defaultLimits } from '../../core/index.ts';
import { until } from '../../testbed/index.ts';
import type { Mirror, MirrorPull, NetnsCluster, NetnsNode, PlacedImage, UpstreamNode } from '../../testbed/index.ts';
import { openCluster } from './cluster-fixture.ts';

/** Two nodes that hold what is pulled, and one that asks. It asks `near` first: they are of one zone. */
export interface Scene {
  readonly cluster: NetnsCluster;
  readonly upstream: UpstreamNode;
  readonly near: NetnsNode;
  readonly far: NetnsNode;
  readonly asker: NetnsNode;
}

/** An image, and of it the layer that faults happen to: the largest. */
export interface FaultImage extends PlacedImage {
  readonly layer: string;
  readonly layerBytes: number;
}

const megabit = 1_000_000;
/** Slow enough that the middle of a layer can be seen. */
export const holderRate = 200 * megabit;
/**
 * Where faults happen: the third window has begun, and most of it has not left its sender. Near its end the kernel would send the rest, whatever happens
 * to the process.
 */
export const midBlobBytes = 2 * defaultLimits.windowBytes + 256 * 1024;

export async function openScene(context: TestContext): Promise<Scene> {
  const cluster = await openCluster(context, { nodes: 3 });
  const [near, far, asker] = [cluster.node(0), cluster.node(1), cluster.node(2)];
  await Promise.all([startNear(near), startFar(far), startNear(asker)]);
  await Promise.all(cluster.nodes.map(({ mirror }) => untilMembers(mirror, 2)));
  return { cluster, upstream: cluster.upstream, near, far, asker };
}

/**
 * Laws that share a cluster, one after the other. After each `near` has a mirror and a cable as at the start: a new member, of which nobody has a bad memory.
 */
export function lawsOf(
  context: TestContext,
  scene: Scene,
): (name: string, law: (context: TestContext) => Promise<void>) => Promise<void> {
  return (name, law) =>
    context.test(name, { timeout: lawTimeoutMs }, async (inner) => {
      try {
        await law(inner);
      } finally {
        await renew(scene);
      }
    });
}

const lawTimeoutMs = 120_000;

async function renew({ cluster, near, upstream }: Scene): Promise<void> {
  await upstream.restore();
  await near.plug();
  await near.setRate(undefined);
  if (near.hasMirror) await near.mirror.kill();
  await startNear(near);
  // A mirror that the law has killed may never be met by one that starts after it.
  const others = cluster.nodes.filter((node) => node !== near && node.hasMirror && node.mirror.isRunning());
  await untilMembers(near.mirror, others.length);
}

/** Starts a mirror in the zone of the one that asks. */
export function startNear(node: NetnsNode, env: Readonly<Record<string, string>> = {}): Promise<Mirror> {
  return node.startMirror({ flags: ['--zone', 'near'], untilReady: false, env });
}

function startFar(node: NetnsNode): Promise<Mirror> {
  return node.startMirror({ flags: ['--zone', 'far'], untilReady: false });
}

export function untilMembers(mirror: Mirror, members: number): Promise<void> {
  return until(`the mirror is ready and knows ${members} others (see ${mirror.logFile})`, async () => {
    return (await mirror.isReady()) && ((await mirror.metrics()).value('peili_members') ?? 0) >= members;
  });
}

const last = { image: 0 };

/** Adds a fresh image to the upstream. */
export async function addImage(upstream: UpstreamNode, layerBytes: readonly number[]): Promise<FaultImage> {
  last.image += 1;
  const image = await upstream.addImage({
    name: `team/app:${last.image}`,
    seed: last.image,
    layers: layerBytes.map((sizeBytes) => ({ sizeBytes })),
  });
  const [layer, { sizeBytes }] = [...image.blobs].reduce((a, b) => (b[1].sizeBytes > a[1].sizeBytes ? b : a));
  return { ...image, layer, layerBytes: sizeBytes };
}

/** Holders pull one after the other; then the asker knows of each. `far` goes before `near`, which would answer for both. What was counted upstream is forgotten. */
export async function holdBy(scene: Scene, holders: readonly NetnsNode[], image: FaultImage): Promise<void> {
  for (const holder of holders) {
    await holder.pull(image.name);
    await untilAsked(scene, holder, image);
  }
  await scene.upstream.resetCounts();
}

/** A fresh image, held. */
export async function heldImage(
  scene: Scene,
  holders: readonly NetnsNode[],
  layerBytes: readonly number[],
): Promise<FaultImage> {
  const image = await addImage(scene.upstream, layerBytes);
  await holdBy(scene, holders, image);
  return image;
}

/** The asker's mirror goes to this holder for each blob, when it is asked by HEAD. */
export async function untilAsked(
  { cluster, asker }: Pick<Scene, 'asker' | 'cluster'>,
  holder: NetnsNode,
  image: FaultImage,
): Promise<void> {
  const isAsked = async (): Promise<boolean> => {
    await cluster.untilFound(asker, image);
    const answered = (await holder.mirror.pulls()).filter(({ asker: by, status }) => by === 'mirror' && status === 200);
    const keys = new Set(answered.map(({ key }) => key));
    return [...image.blobs.keys()].every((digest) => keys.has(digest));
  };
  await until(`${asker.name} asks ${holder.name} for ${image.name}`, isAsked, askedWithinMs);
}

/** On a crowded machine a holder may be late once, and is then asked last for a while. */
const askedWithinMs = (2 * defaultLimits.demotionUs) / 1000;

/** A pull that is not waited for yet; its failure is told to who awaits it. */
export function beginPull(node: NetnsNode, image: PlacedImage): Promise<unknown> {
  const pull = node.pull(image.name);
  pull.catch(() => undefined);
  return pull;
}

/** So many bytes of the layer are in the node's store, and the rest is on its way. */
export function untilReceived(node: NetnsNode, { layer, layerBytes }: FaultImage, atLeast: number): Promise<void> {
  return until(`${node.name} has ${atLeast} bytes of the layer`, async () => {
    const bytes = await node.content.receivedBytes(layer);
    assert.ok(bytes < layerBytes, 'the layer was there before anything could happen to it');
    return bytes >= atLeast;
  });
}

/** Requests of the node's own clients for the layer's bytes that have ended, oldest first. */
export async function layerPulls(node: NetnsNode, { layer }: FaultImage): Promise<readonly MirrorPull[]> {
  return (await node.mirror.pulls()).filter(({ asker, key, method }) => {
    return asker === 'client' && method === 'GET' && key === layer;
  });
}

/** The only request for the layer. */
export async function layerPull(node: NetnsNode, image: FaultImage): Promise<MirrorPull> {
  const [pull, ...more] = await layerPulls(node, image);
  assert.ok(
    pull !== undefined && more.length === 0,
    `one request for the layer, not ${JSON.stringify([pull, ...more])}`,
  );
  return pull;
}

/** The layer came in one body from both: `first` up to the fault, `second` from its next byte on. Resolves with that offset. */
export async function assertWentOn(
  node: NetnsNode,
  image: FaultImage,
  from: NetnsNode,
  to: NetnsNode,
): Promise<number> {
  const pull = await layerPull(node, image);
  const at = pull.sources[from.name] ?? 0;
  assert.equal(pull.end, 'complete');
  assert.deepEqual(pull.sources, { [from.name]: at, [to.name]: image.layerBytes - at });
  assert.ok(at > 0 && at < image.layerBytes, `in mid-blob: ${at}`);
  const switches = (pull.notes ?? []).filter((note) => 'to' in note);
  assert.deepEqual(
    switches.map(({ at: offset }) => offset),
    [at],
    JSON.stringify(pull.notes),
  );
  assert.ok(
    pull.notes?.some((note) => 'resumed' in note && note['at'] === at),
    JSON.stringify(pull.notes),
  );
  return at;
}

/** Watches a layer grow: resolves, when told to stop, with the longest time without a byte. */
export function watchGrowth(node: NetnsNode, { layer, layerBytes }: FaultImage): { longestMs(): Promise<number> } {
  const seen = { bytes: 0, atMs: performance.now(), longestMs: 0 };
  const done = until(
    'the layer has come',
    async () => {
      const bytes = await node.content.receivedBytes(layer);
      if (bytes > seen.bytes) {
        const nowMs = performance.now();
        seen.longestMs = Math.max(seen.longestMs, nowMs - seen.atMs);
        seen.bytes = bytes;
        seen.atMs = nowMs;
      }
      return bytes === layerBytes;
    },
    60_000,
  );
  done.catch(() => undefined);
  return {
    longestMs: async () => {
      await done;
      return seen.longestMs;
    },
  };
}
