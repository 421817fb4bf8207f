import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Testbed, TestbedNode } from '../drivers/driver.ts';
import { findsImage } from '../find-image.ts';
import { until } from '../netns/conditions.ts';
import { allOf } from '../netns/undo.ts';
import type { ContainerNode } from './container-node.ts';

/** A node's mirror, whoever runs it. */
export interface MirrorService {
  readonly registryUrl: string;
  readonly control: TestbedNode['mirror'];
  /** It is ready, and knows so many others. */
  knows(others: number): Promise<boolean>;
  /** Prometheus' text. */
  metrics(): Promise<string>;
}

export interface ContainerTestbedNode extends TestbedNode {
  readonly inside: ContainerNode;
  readonly service: MirrorService;
}

const meshLimitMs = 120_000;

export function containerTestbedNode(
  { name, zone }: Pick<TestbedNode, 'name' | 'zone'>,
  inside: ContainerNode,
  service: MirrorService,
  run: TestbedNode['run'],
): ContainerTestbedNode {
  return {
    name,
    zone,
    inside,
    service,
    run,
    get registryUrl() {
      return service.registryUrl;
    },
    pull: inside.pull,
    holds: inside.holds,
    images: inside.images,
    receivedBytes: inside.receivedBytes,
    mirror: service.control,
    containerd: { restart: inside.restartContainerd },
    exec: (command) => inside.exec(command),
  };
}

/** What is the same of all testbeds whose nodes are containers. */
export function containerTestbed(
  nodes: readonly ContainerTestbedNode[],
  rest: Pick<Testbed, 'driver' | 'lacks' | 'upstream' | 'images' | 'dispose' | 'kubernetes'>,
): Testbed {
  const cuts = new Map<string, () => Promise<void>>();
  const found = (wanted: string): ContainerTestbedNode => {
    const node = nodes.find(({ name }) => name === wanted);
    if (node === undefined) throw new RangeError(`there is no node ${wanted}`);
    return node;
  };
  const restore = async ({ name }: TestbedNode): Promise<void> => {
    await cuts.get(name)?.();
    cuts.delete(name);
  };
  return {
    ...rest,
    nodes,
    node: (index) => {
      const node = nodes[index];
      if (node === undefined) throw new RangeError(`there is no node ${index}`);
      return node;
    },
    links: {
      shape: ({ name }, bytesPerSecond) => found(name).inside.shape(bytesPerSecond),
      cut: async ({ name }) => void cuts.set(name, await found(name).inside.drop()),
      restore,
    },
    untilFound: ({ name, registryUrl }, image) =>
      until(`${name} finds ${image.name}`, () => findsImage(registryUrl, image)),
    mend: async () => {
      await rest.upstream.restore();
      for (const node of nodes) {
        await restore(node);
        await node.inside.shape(undefined);
        // It may not run.
        await node.mirror.thaw().catch(() => undefined);
      }
      await allOf(nodes.map(({ mirror }) => mirror.start()));
      await untilMeshed(nodes);
    },
    collect: (directory) => collect(nodes, directory),
  };
}

/** All mirrors are ready and know each other. */
export async function untilMeshed(nodes: readonly ContainerTestbedNode[]): Promise<void> {
  for (const { name, service } of nodes) {
    await until(`${name} knows the others`, () => service.knows(nodes.length - 1), meshLimitMs);
  }
}

async function collect(nodes: readonly ContainerTestbedNode[], directory: string): Promise<void> {
  for (const { name, mirror, service, exec } of nodes) {
    const folder = join(directory, name);
    await mkdir(folder, { recursive: true });
    const parts: Readonly<Record<string, () => Promise<string>>> = {
      'mirror.log': mirror.log,
      metrics: service.metrics,
      journal: () => exec(['journalctl', '--no-pager']),
      'etc-containerd': () => exec(['sh', '-c', 'find /etc/containerd -name "*.toml" | xargs head -n 999']),
    };
    for (const [file, read] of Object.entries(parts)) {
      await writeFile(join(folder, file), await read().catch((error: unknown) => String(error)));
    }
  }
}
