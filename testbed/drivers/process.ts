import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentObserver } from '../../core/index.ts';
import { startLoopbackCluster } from '../loopback-cluster.ts';
import type { LoopbackCluster, LoopbackNode } from '../loopback-cluster.ts';
import { until } from '../netns/conditions.ts';
import { undoAfter, undoAll } from '../netns/undo.ts';
import { readLayoutNames } from '../oci-layout.ts';
import { pull } from '../pull.ts';
import { startUpstream } from '../upstream.ts';
import type { Upstream } from '../upstream.ts';
import { lack } from './driver.ts';
import type { Ability, Testbed, TestbedNode, TestbedOptions, TestbedUpstream } from './driver.ts';
import { findsImage } from '../find-image.ts';
import { createShelf } from './shelf.ts';

const lacks = {
  containerd: 'a directory plays the content store, and a client that pulls as containerd does its user',
  freeze: 'all nodes are one process',
  links: 'all nodes are one process on loopback',
  'black-hole': 'nobody drops packets of loopback without root',
  pods: 'there is no kubelet',
} as const satisfies Testbed['lacks'];

const lacking = (ability: Ability): (() => Promise<never>) => lack('process', lacks, ability);
const registry = 'registry.example';

/** Real mirrors in this process, with directories as content stores: no root, no containerd, anywhere. */
export async function startProcessTestbed({
  nodes,
  zones = [],
  upstream: limits,
  images = [],
}: TestbedOptions): Promise<Testbed> {
  const shelf = createShelf(() => registry);
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const server = await startUpstream({ content: shelf.images, ...limits });
    undo.push(server.close);
    const zoneOf = (index: number): string | undefined => zones[index % zones.length];
    const events = Array.from({ length: nodes }, (): string[] => []);
    const tell = (index: number) => (event: object) => void events[index]?.push(JSON.stringify(event));
    const cluster = await startLoopbackCluster({
      nodes,
      node: (index) => ({ zone: zoneOf(index) ?? '' }),
      observer: (index) => ({ ...silentObserver, onPull: tell(index), onNode: tell(index) }),
    });
    undo.push(cluster.close);
    const upstream = upstreamOf(server, shelf);
    const own = Array.from({ length: nodes }, (_, index) =>
      nodeOf(cluster, index, server, { zone: zoneOf(index), events: events[index] ?? [] }),
    );
    const node = (index: number): TestbedNode => {
      const found = own[index];
      if (found === undefined) throw new RangeError(`there is no node ${index}`);
      return found;
    };
    const placed = [];
    for (const options of images) placed.push(await shelf.addImage(options));
    return {
      driver: 'process',
      lacks,
      nodes: own,
      upstream,
      images: placed,
      links: { shape: lacking('links'), cut: lacking('links'), restore: lacking('links') },
      node,
      untilFound: ({ name, registryUrl }, image) =>
        until(`${name} finds ${image.name}`, () => findsImage(registryUrl, image)),
      mend: async () => {
        await upstream.restore();
        for (const each of own) await each.mirror.start();
      },
      collect: async (directory) => {
        for (const { name, mirror } of own) {
          await mkdir(join(directory, name), { recursive: true });
          await writeFile(join(directory, name, 'mirror.log'), await mirror.log());
        }
      },
      dispose: () => undoAll(undo),
    };
  } catch (error) {
    return undoAfter(error, undo);
  }
}

function upstreamOf(server: Upstream, shelf: ReturnType<typeof createShelf>): TestbedUpstream {
  return {
    registry,
    ...shelf,
    moveTag: ({ name }, to) => shelf.addImage({ ...to, name }),
    bytesServed: () => Promise.resolve(server.bytesServed()),
    resetCounts: async () => server.resetCounts(),
    cut: (how = 'refused') => (how === 'refused' ? server.cut() : lacking('black-hole')()),
    stall: async () => server.stall(),
    restore: server.restore,
    limit: async (bytesPerSecond) => server.limit(bytesPerSecond),
  };
}

function nodeOf(
  cluster: LoopbackCluster,
  index: number,
  server: Upstream,
  { zone, events }: { readonly zone: string | undefined; readonly events: readonly string[] },
): TestbedNode {
  const running = (): LoopbackNode => {
    const found = cluster.nodes[index];
    if (found === undefined) throw new RangeError(`there is no node ${index}`);
    return found;
  };
  const { name, layout } = running();
  const state = { isDead: false };
  const received = new Map<string, number>();
  const timed = async (reference: string, timeoutMs: number): Promise<{ tookMs: number }> => {
    const startMs = performance.now();
    const signal = AbortSignal.timeout(timeoutMs);
    await pull({
      reference,
      mirror: running().url,
      upstream: server.url,
      into: layout,
      signal,
      onProgress: ({ digest, receivedBytes }) => void received.set(digest, receivedBytes),
    });
    return { tookMs: performance.now() - startMs };
  };
  return {
    name,
    zone,
    get registryUrl() {
      return running().url;
    },
    pull: (reference, { timeoutMs = 60_000 } = {}) => timed(reference, timeoutMs),
    holds: async ({ blobs }) => {
      const held = await Promise.all([...blobs].map(([digest, { sizeBytes }]) => layout.has(digest, sizeBytes)));
      return held.every(Boolean);
    },
    images: async () => [...(await readLayoutNames(layout.directory)).keys()].sort(),
    receivedBytes: (digest) => Promise.resolve(received.get(digest) ?? 0),
    mirror: {
      kill: async () => {
        state.isDead = true;
        await running().running.kill();
      },
      start: async () => {
        if (state.isDead) await cluster.restart(index);
        state.isDead = false;
      },
      freeze: lacking('freeze'),
      thaw: lacking('freeze'),
      log: () => Promise.resolve(events.join('\n')),
    },
    containerd: { restart: lacking('containerd') },
    exec: lacking('containerd'),
    run: lacking('pods'),
  };
}
