import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultLimits, limitsWith } from '../core/index.ts';
import type { Limits, Observer } from '../core/index.ts';
import { startNode } from '../transports/index.ts';
import type { NodeOptions, RunningNode } from '../transports/index.ts';
import { createLayoutWriter } from './oci-layout.ts';
import type { LayoutWriter } from './oci-layout.ts';

export interface LoopbackClusterOptions {
  readonly nodes: number;
  /** What each node tells; `index` counts from 0. @default nobody watches */
  readonly observer?: (index: number) => Observer;
  /** @default patientLimits */
  readonly limits?: Limits;
  /** @default '127.0.0.1' */
  readonly host?: '127.0.0.1' | '::1';
  /** Gives up starting. @default never */
  readonly signal?: AbortSignal;
  /** Further options of each node. */
  readonly node?: (index: number) => Partial<NodeOptions>;
}

/**
 * For a machine that does the work of a whole cluster, and perhaps much else: what a healthy member must answer within is ten times as long. How long things
 * may take is tested in virtual time, and measured where nothing else runs.
 */
const patientLimits: Limits = limitsWith({
  lookupTimeoutUs: 3 * defaultLimits.lookupTimeoutUs,
  lookupMissTimeoutUs: 10 * defaultLimits.lookupMissTimeoutUs,
  dialTimeoutUs: 10 * defaultLimits.dialTimeoutUs,
  blobHeadTimeoutUs: 10 * defaultLimits.blobHeadTimeoutUs,
  peerHeadTimeoutUs: 10 * defaultLimits.peerHeadTimeoutUs,
  manifestTimeoutUs: 10 * defaultLimits.manifestTimeoutUs,
  selfCheckWaitUs: 10 * defaultLimits.selfCheckWaitUs,
});

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
  /** Kills a node and starts it again on its directory, at its ports, as another process would find it. */
  restart(index: number): Promise<LoopbackNode>;
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
    const node = await startOne(options, directory, nodes.length, nodes);
    nodes.push(node);
    return node;
  };
  const restart = async (index: number): Promise<LoopbackNode> => {
    const before = nodes[index];
    if (before === undefined) throw new RangeError(`there is no node ${index}`);
    await before.running.kill();
    const others = nodes.filter((node) => node !== before);
    nodes[index] = await startOne(options, directory, index, others, before.running);
    return nodes[index];
  };
  try {
    for (let index = 0; index < options.nodes; index += 1) {
      options.signal?.throwIfAborted();
      await add();
    }
    await Promise.all(nodes.map(({ running }) => knowsEverybody(running, options.nodes - 1, options.signal)));
  } catch (error) {
    await close();
    throw error;
  }
  return { nodes, directory, add, restart, close };
}

async function startOne(
  options: LoopbackClusterOptions,
  directory: string,
  index: number,
  others: readonly LoopbackNode[],
  before?: RunningNode,
): Promise<LoopbackNode> {
  const { host = '127.0.0.1' } = options;
  const name = `node-${index + 1}`;
  const urlHost = host === '::1' ? '[::1]' : host;
  const layout = await createLayoutWriter(join(directory, name));
  const peers = others.flatMap(({ running }) => running.routerAddresses);
  const running = await startNode({
    registry: { host, port: before?.registryPort ?? 0 },
    routerAddress: `${urlHost}:${before === undefined ? 0 : routerPort(before)}`,
    bootstrap: peers.length === 0 ? { kind: 'none' } : { kind: 'static', peers },
    store: { kind: 'oci-layout', directory: layout.directory },
    dataDir: join(directory, `${name}-data`),
    ...(options.observer === undefined ? {} : { observer: options.observer(index) }),
    limits: options.limits ?? patientLimits,
    ...options.node?.(index),
  });
  return { name, url: `http://${urlHost}:${running.registryPort}`, layout, running };
}

function routerPort({ routerAddresses }: RunningNode): number {
  return Number(/\/tcp\/(\d+)/.exec(routerAddresses[0] ?? '')?.[1] ?? 0);
}

/** Resolves when the node knows so many others; rejects with the signal's reason. */
async function knowsEverybody({ membership }: RunningNode, others: number, signal?: AbortSignal): Promise<void> {
  if (membership.members().length >= others) return;
  await new Promise<void>((resolve, reject) => {
    const stopWatching = membership.watch(() => {
      if (membership.members().length < others) return;
      stopWatching();
      signal?.removeEventListener('abort', giveUp);
      resolve();
    });
    const giveUp = (): void => {
      stopWatching();
      reject(signal?.reason instanceof Error ? signal.reason : new Error('starting was given up'));
    };
    signal?.addEventListener('abort', giveUp, { once: true });
  });
}
