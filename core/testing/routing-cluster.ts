import assert from 'node:assert/strict';
import { createPositionTable } from '../routing/position-table.ts';
import { positionOf, routingKeyOf } from '../routing/routing-key.ts';
import { createMemoryCluster, memberOf } from './memory-cluster.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { startRoutingNode } from './routing-node.ts';
import type { RoutingNode, RoutingNodeOptions } from './routing-node.ts';
import { createSha256Digester } from './sha256-digester.ts';
import { createVirtualClock } from './virtual-clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Nodes `node-0`, `node-1`, ... that have told each other everything. */
export interface RoutingCluster {
  readonly clock: VirtualClock;
  readonly cluster: MemoryCluster;
  /** Nodes that a test starts go in here, to be disposed with the others. */
  readonly nodes: RoutingNode[];
  node(index: number): RoutingNode;
  /** The nodes by their distance to a digest or tag reference, nearest first. */
  byDistance(key: string): readonly RoutingNode[];
  /** Disposes all nodes; nothing may be left behind. */
  finish(): Promise<void>;
}

export async function startRoutingCluster(size: number, options: RoutingNodeOptions = {}): Promise<RoutingCluster> {
  const clock = createVirtualClock();
  const cluster = createMemoryCluster(clock);
  const start = (_: unknown, index: number): RoutingNode =>
    startRoutingNode(clock, cluster.add(`node-${index}`), options);
  const nodes = Array.from({ length: size }, start);
  await clock.advance(1_000_000);
  return {
    clock,
    cluster,
    nodes,
    node: (index) => {
      const node = nodes.at(index);
      if (node === undefined) throw new Error(`no node ${index}`);
      return node;
    },
    byDistance: (key) => {
      const table = createPositionTable<RoutingNode>();
      for (const node of nodes) table.add(node, memberOf(node.id).position);
      const digester = createSha256Digester();
      return table.nearest(positionOf(digester, routingKeyOf(digester, key)), nodes.length);
    },
    finish: async () => {
      for (const node of nodes) node.dispose();
      await clock.advance(0);
      assert.equal(clock.pending(), 0, 'timers');
      assert.equal(cluster.pending(), 0, 'calls');
      for (const { store } of nodes) assert.equal(store.watchers, 0, 'watchers');
    },
  };
}
