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
  shape(bytesPerSecond: number | undefined): Promise<void>;
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Ends what was done to it: each step costs a process in the container, so that only what was done is undone. */
  mend(): Promise<void>;
}

const meshLimitMs = 120_000;

export function containerTestbedNode(
  { name, zone }: Pick<TestbedNode, 'name' | 'zone'>,
  inside: ContainerNode,
  service: MirrorService,
  run: TestbedNode['run'],
): ContainerTestbedNode {
  const state: { isShaped: boolean; isFrozen: boolean; uncut?: (() => Promise<void>) | undefined } = {
    isShaped: false,
    isFrozen: false,
  };
  const { control } = service;
  const shape = async (bytesPerSecond: number | undefined): Promise<void> => {
    if (bytesPerSecond === undefined && !state.isShaped) return;
    state.isShaped = bytesPerSecond !== undefined;
    await inside.shape(bytesPerSecond);
  };
  const restore = async (): Promise<void> => {
    const { uncut } = state;
    state.uncut = undefined;
    await uncut?.();
  };
  const thaw = async (): Promise<void> => {
    state.isFrozen = false;
    await control.thaw();
  };
  return {
    shape,
    restore,
    cut: async () => {
      state.uncut ??= await inside.drop();
    },
    mend: async () => {
      await restore();
      await shape(undefined);
      // It may not run any more.
      if (state.isFrozen) await thaw().catch(() => undefined);
      await control.start();
    },
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
    mirror: {
      ...control,
      thaw,
      freeze: async () => {
        state.isFrozen = true;
        await control.freeze();
      },
    },
    containerd: { restart: inside.restartContainerd },
    exec: (command) => inside.exec(command),
  };
}

/** What is the same of all testbeds whose nodes are containers. */
export function containerTestbed(
  nodes: readonly ContainerTestbedNode[],
  rest: Pick<Testbed, 'driver' | 'lacks' | 'upstream' | 'images' | 'dispose' | 'kubernetes'>,
): Testbed {
  const found = (wanted: string): ContainerTestbedNode => {
    const node = nodes.find(({ name }) => name === wanted);
    if (node === undefined) throw new RangeError(`there is no node ${wanted}`);
    return node;
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
      shape: ({ name }, bytesPerSecond) => found(name).shape(bytesPerSecond),
      cut: ({ name }) => found(name).cut(),
      restore: ({ name }) => found(name).restore(),
    },
    untilFound: ({ name, registryUrl }, image) =>
      until(`${name} finds ${image.name}`, () => findsImage(registryUrl, image)),
    mend: async () => {
      await rest.upstream.restore();
      await allOf(nodes.map((node) => node.mend()));
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
