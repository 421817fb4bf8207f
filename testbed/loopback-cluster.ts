import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Limits, Observer } from '../core/index.ts';
import { startNode } from '../transports/index.ts';
import type { NodeOptions, RunningNode } from '../transports/index.ts';
import { createLayoutWriter } from './oci-layout.ts';
import type { LayoutWriter } from './oci-layout.ts';

export interface LoopbackClusterOptions {
  readonly nodes: number;
  /** What each node tells; `index` counts from 0. @default nobody watches */
  readonly observer?: (index: number) => Observer;
  readonly limits?: Limits;
  /** Further options of each node. */
  readonly node?: (index: number) => Partial<NodeOptions>;
}

/** One node of the cluster: a running mirror, and the directory that plays its containerd's content store. */
export interface LoopbackNode {
  readonly name: string;
  /** `http://127.0.0.1:<port>`, as hosts.toml would name it. */
  readonly url: string;
  readonly layout: LayoutWriter;
  readonly running: RunningNode;
}

/** Real nodes on loopback in one process: a port and a directory each. */
export interface LoopbackCluster {
  readonly nodes: readonly LoopbackNode[];
  /** The directory of everything; gone after `close`. */
  readonly directory: string;
  /** Adds one more node. */
  add(): Promise<LoopbackNode>;
  close(): Promise<void>;
}

/** Starts the nodes, the first as everybody's bootstrap, and waits until each knows all others. */
export async function startLoopbackCluster(options: LoopbackClusterOptions): Promise<LoopbackCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'peili-'));
  const nodes: LoopbackNode[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map(({ running }) => running.close()));
    await rm(directory, { recursive: true, force: true });
  };
  const add = async (): Promise<LoopbackNode> => {
    const node = await startOne(options, directory, nodes);
    nodes.push(node);
    return node;
  };
  try {
    for (let index = 0; index < options.nodes; index += 1) await add();
    await Promise.all(nodes.map(({ running }) => knowsEverybody(running, options.nodes - 1)));
  } catch (error) {
    await close();
    throw error;
  }
  return { nodes, directory, add, close };
}

async function startOne(
  options: LoopbackClusterOptions,
  directory: string,
  earlier: readonly LoopbackNode[],
): Promise<LoopbackNode> {
  const index = earlier.length;
  const name = `node-${index + 1}`;
  const layout = await createLayoutWriter(join(directory, name));
  const peers = earlier.flatMap(({ running }) => running.routerAddresses);
  const running = await startNode({
    registry: { host: '127.0.0.1', port: 0 },
    routerAddress: '127.0.0.1:0',
    bootstrap: peers.length === 0 ? { kind: 'none' } : { kind: 'static', peers },
    store: { kind: 'oci-layout', directory: layout.directory },
    ...(options.observer === undefined ? {} : { observer: options.observer(index) }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...options.node?.(index),
  });
  return { name, url: `http://127.0.0.1:${running.registryPort}`, layout, running };
}

/** Resolves when the node knows so many others. */
async function knowsEverybody({ membership }: RunningNode, others: number): Promise<void> {
  if (membership.members().length >= others) return;
  await new Promise<void>((resolve) => {
    const stop = membership.watch(() => {
      if (membership.members().length < others) return;
      stop();
      resolve();
    });
  });
}
