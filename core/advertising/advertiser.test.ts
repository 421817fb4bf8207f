import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemoryCluster } from '../testing/memory-cluster.ts';
import { createMemoryCluster } from '../testing/memory-cluster.ts';
import { findFrom, startRoutingNode } from '../testing/routing-node.ts';
import type { RoutingNode, RoutingNodeOptions } from '../testing/routing-node.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import type { VirtualClock } from '../testing/virtual-clock.ts';

const second = 1_000_000;
const digestOf = (index: number): string => `sha256:${index.toString(16).padStart(64, '0')}`;

interface Cluster {
  readonly clock: VirtualClock;
  readonly cluster: MemoryCluster;
  readonly nodes: RoutingNode[];
  readonly node: (index: number) => RoutingNode;
  readonly dispose: () => void;
}

/** `size` nodes that have told each other everything. */
async function clusterOf(size: number, options: RoutingNodeOptions = {}): Promise<Cluster> {
  const clock = createVirtualClock();
  const cluster = createMemoryCluster(clock);
  const nodes = Array.from({ length: size }, (_, index) =>
    startRoutingNode(clock, cluster.add(`node-${index}`), options),
  );
  await clock.advance(second);
  const node = (index: number): RoutingNode => nodes[index]!;
  const dispose = (): void => {
    for (const each of nodes) each.dispose();
  };
  return { clock, cluster, nodes, node, dispose };
}

test('advertising: new content is found from any other node within 0.1 s of its arrival', async () => {
  const { clock, nodes, node, dispose } = await clusterOf(12);
  node(3).store.addContent(digestOf(1));
  await clock.advance(100_000);
  for (const other of nodes) {
    const found = await findFrom(clock, other, digestOf(1));
    assert.equal(found.outcome, other === node(3) ? 'nobody' : 'found', other.id);
    assert.deepEqual(found.ids, other === node(3) ? [] : ['node-3']);
  }
  dispose();
  assert.equal(clock.pending(), 0);
});
