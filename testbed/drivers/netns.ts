import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startNetnsCluster } from '../netns/cluster.ts';
import type { NetnsCluster } from '../netns/cluster.ts';
import { until } from '../netns/conditions.ts';
import type { NetnsNode } from '../netns/node.ts';
import { allOf, undoAfter, undoAll } from '../netns/undo.ts';
import { lack } from './driver.ts';
import type { Testbed, TestbedNode, TestbedOptions, TestbedUpstream } from './driver.ts';

const lacks = { pods: 'there is no kubelet' } as const satisfies Testbed['lacks'];
const bitsPerByte = 8;

/** Nodes with real containerd in network namespaces: root on Linux, inside a capsule. */
export async function startNetnsTestbed({
  nodes,
  zones = [],
  upstream: limits,
  images = [],
}: TestbedOptions): Promise<Testbed> {
  const cluster = await startNetnsCluster({ nodes });
  const undo = [cluster.close];
  try {
    const own = cluster.nodes.map((node, index) => nodeOf(cluster, node, zones[index % zones.length]));
    await allOf(own.map(({ mirror }) => mirror.start()));
    await untilAllKnown(cluster);
    const upstream = upstreamOf(cluster);
    if (limits?.bytesPerSecond !== undefined) await upstream.limit(limits.bytesPerSecond);
    const placed = [];
    for (const options of images) placed.push(await upstream.addImage(options));
    return {
      driver: 'netns',
      lacks,
      nodes: own,
      upstream,
      images: placed,
      links: {
        shape: ({ name }, bytesPerSecond) => named(cluster, name).setRate(bitsOf(bytesPerSecond)),
        cut: ({ name }) => named(cluster, name).unplug(),
        restore: ({ name }) => named(cluster, name).plug(),
      },
      node: (index) => {
        const found = own[index];
        if (found === undefined) throw new RangeError(`there is no node ${index}`);
        return found;
      },
      untilFound: ({ name }, image) => cluster.untilFound(named(cluster, name), image),
      mend: async () => {
        await upstream.restore();
        await upstream.limit(limits?.bytesPerSecond);
        for (const node of cluster.nodes) {
          await node.plug();
          await node.setRate(undefined);
          node.mirror.thaw();
        }
        await allOf(own.map(({ mirror }) => mirror.start()));
        await untilAllKnown(cluster);
      },
      collect: (directory) => collect(cluster, directory),
      dispose: () => undoAll(undo),
    };
  } catch (error) {
    return undoAfter(error, undo);
  }
}

function bitsOf(bytesPerSecond: number | undefined): number | undefined {
  return bytesPerSecond === undefined ? undefined : bytesPerSecond * bitsPerByte;
}

function named({ nodes }: NetnsCluster, name: string): NetnsNode {
  const found = nodes.find((node) => node.name === name);
  if (found === undefined) throw new RangeError(`there is no node ${name}`);
  return found;
}

async function untilAllKnown({ nodes }: NetnsCluster): Promise<void> {
  for (const { name, mirror } of nodes) {
    await until(`${name} is ready and knows the others`, async () => {
      return (await mirror.isReady()) && ((await mirror.metrics()).value('peili_members') ?? 0) >= nodes.length - 1;
    });
  }
}

function upstreamOf({ upstream }: NetnsCluster): TestbedUpstream {
  return {
    registry: upstream.registry,
    addImage: upstream.addImage,
    addArtifact: upstream.addArtifact,
    moveTag: ({ name }, to) => upstream.addImage({ ...to, name }),
    bytesServed: upstream.bytesServed,
    resetCounts: upstream.resetCounts,
    cut: (how = 'refused') => upstream.cut(how),
    stall: () => upstream.cut('stalled'),
    restore: upstream.restore,
    limit: (bytesPerSecond) => upstream.setRate(bitsOf(bytesPerSecond)),
  };
}

function nodeOf(cluster: NetnsCluster, node: NetnsNode, zone: string | undefined): TestbedNode {
  const flags = zone === undefined ? [] : ['--zone', zone];
  return {
    name: node.name,
    zone,
    registryUrl: node.registryUrl,
    pull: (reference, options) => node.pull(reference, options),
    holds: async ({ blobs }) => {
      const held = new Set(await node.content.blobs());
      return [...blobs.keys()].every((digest) => held.has(digest));
    },
    images: async () => {
      const all = await node.cri.listImages(AbortSignal.timeout(10_000));
      return all.flatMap(({ repoTags }) => repoTags).sort();
    },
    receivedBytes: node.content.receivedBytes,
    mirror: {
      kill: () => node.mirror.kill(),
      start: async () => {
        if (!node.hasMirror)
          await node.startMirror({ flags, untilReady: cluster.nodes.some(({ hasMirror }) => hasMirror) });
      },
      freeze: () => Promise.resolve(node.mirror.freeze()),
      thaw: () => Promise.resolve(node.mirror.thaw()),
      log: () => readFile(node.mirror.logFile, 'utf8'),
    },
    containerd: { restart: () => node.containerd.restart() },
    exec: node.exec,
    run: lack('netns', lacks, 'pods'),
  };
}

async function collect({ nodes }: NetnsCluster, directory: string): Promise<void> {
  for (const { name, files, mirror, hasMirror } of nodes) {
    const folder = join(directory, name);
    await mkdir(folder, { recursive: true });
    await cp(files.logs, folder, { recursive: true });
    await cp(files.etcContainerd, join(folder, 'etc-containerd'), { recursive: true });
    if (!hasMirror) continue;
    const answer = await fetch(mirror.metricsUrl, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    if (answer !== undefined) await writeFile(join(folder, 'metrics'), await answer.text());
  }
}
