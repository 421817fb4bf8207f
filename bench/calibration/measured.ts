import { setTimeout as sleep } from 'node:timers/promises';
import { startNetnsCluster, until } from '../../testbed/index.ts';
import type { NetnsCluster, NetnsNode, PlacedImage } from '../../testbed/index.ts';
import { oursProgram } from '../programs/mirror.ts';
import type { Outcome, Situation } from './situation.ts';

const loadTimeoutMs = 60_000;
const pullTimeoutMs = 120_000;
/** All holders have said what they have, and everybody has heard it. */
const settleMs = 1000;
const lookMs = 10;

/** Runs the situation once on containerd nodes, stores on tmpfs. Needs a capsule. */
export async function measure(situation: Situation, round: number): Promise<Outcome> {
  const cluster = await startNetnsCluster({ nodes: situation.zones.length });
  try {
    await startMirrors(cluster, situation.zones);
    const image = await cluster.upstream.addImage({
      name: `calibration/round-${round}:1.0`,
      layers: situation.layerBytes.map((sizeBytes) => ({ sizeBytes })),
    });
    await load(cluster, situation, image);
    const startMs = performance.now();
    const strike = afterAll(situation, cluster);
    const gaps = await Promise.all(
      situation.pulls.map(async ({ node, afterMs }) => {
        await sleep(afterMs);
        return pullWatched(cluster.node(node), image);
      }),
    );
    const makespanMs = performance.now() - startMs;
    await strike;
    return {
      makespanSeconds: makespanMs / 1000,
      upstreamCopies: (await cluster.upstream.bytesServed()) / cluster.sizeOf(image),
      longestGapSeconds: Math.max(...gaps) / 1000,
    };
  } finally {
    await cluster.close();
  }
}

async function startMirrors({ nodes }: NetnsCluster, zones: Situation['zones']): Promise<void> {
  const program = oursProgram([]);
  await Promise.all(
    nodes.map((node, at) =>
      node.startMirror({ program: program.onNode(), flags: program.zoneFlags(zones[at] ?? ''), untilReady: false }),
    ),
  );
  for (const { name, mirror } of nodes) {
    await until(`${name} knows the others`, async () => {
      return ((await mirror.metrics()).value('peili_members') ?? 0) >= nodes.length - 1;
    });
  }
}

/** The holders pull at full speed; then the caps of the situation hold. */
async function load(cluster: NetnsCluster, situation: Situation, image: PlacedImage): Promise<void> {
  const { holders, nodeBitsPerSecond, pulls, upstreamBitsPerSecond } = situation;
  const { upstream, nodes } = cluster;
  for (const holder of holders) await cluster.node(holder).pull(image.name, { timeoutMs: loadTimeoutMs });
  if (holders.length > 0) for (const { node } of pulls) await cluster.untilFound(cluster.node(node), image);
  await sleep(settleMs);
  await upstream.setRate(upstreamBitsPerSecond);
  for (const node of nodes) await node.setRate(nodeBitsPerSecond);
  await upstream.resetCounts();
}

async function afterAll({ fault }: Situation, cluster: NetnsCluster): Promise<void> {
  if (fault === undefined) return;
  const node = cluster.node(fault.node);
  await sleep(fault.afterMs);
  if (fault.kind === 'freeze') node.mirror.freeze();
  if (fault.kind === 'kill') await node.mirror.kill();
  if (fault.kind === 'unplug') await node.unplug();
}

/** Pulls; resolves with the longest time without a byte before all of them were there, milliseconds. */
async function pullWatched(node: NetnsNode, image: PlacedImage): Promise<number> {
  const state = { isOver: false };
  const pull = node.pull(image.name, { timeoutMs: pullTimeoutMs }).finally(() => {
    state.isOver = true;
  });
  const digests = [...image.blobs].filter(([, { sizeBytes }]) => sizeBytes > 0).map(([digest]) => digest);
  const sizeBytes = [...image.blobs.values()].reduce((sum, blob) => sum + blob.sizeBytes, 0);
  let [bytes, sinceMs, longestMs] = [0, performance.now(), 0];
  while (!state.isOver && bytes < sizeBytes) {
    const received = await Promise.all(digests.map((digest) => node.content.receivedBytes(digest)));
    const sum = received.reduce((a, b) => a + b, 0);
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - sinceMs);
    if (sum !== bytes) sinceMs = nowMs;
    bytes = sum;
    await sleep(lookMs);
  }
  await pull;
  return longestMs;
}
