import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { membershipSuite, recordsSuite } from '../../core/conformance/index.ts';
import type { ClusterSubject } from '../../core/conformance/index.ts';
import { createTestNodes, staticBootstrap, until } from './testing/nodes.ts';
import type { Libp2pNode } from './libp2p-node.ts';
import type { RouterTransport } from './endpoint.ts';

const pause = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 2);
  });

/** Three nodes that know only the first, and so come to know each other through it. */
async function cluster(transport: RouterTransport, host: string): Promise<ClusterSubject> {
  const tests = createTestNodes({ transport });
  const directory = await mkdtemp(join(tmpdir(), 'peili-cluster-'));
  const nodes: Libp2pNode[] = [];
  const start = async (index: number, address: string): Promise<Libp2pNode> => {
    const others = nodes.filter((_node, at) => at !== index).slice(0, 1);
    return tests.start({
      routerAddress: address,
      dataDir: join(directory, String(index)),
      registryPort: 5000 + index,
      zone: `zone-${index}`,
      bootstrap: others.length === 0 ? { kind: 'none' } : staticBootstrap(...others),
    });
  };
  for (let index = 0; index < 3; index += 1) nodes.push(await start(index, `${host}:0`));
  await until('all know all', () => nodes.every(({ membership }) => membership.members().length === 2));
  const routerAddress = (node: Libp2pNode | undefined): string => {
    const [, , , , port] =
      node?.addresses[0]?.replace('/memory/', '/ip/x/tcp/').replace(`${host}:`, '').split('/') ?? [];
    return `${host}:${port ?? ''}`;
  };
  return {
    nodes,
    join: () => start(nodes.length, `${host}:0`),
    stop: async (index) => nodes[index]?.dispose(),
    restart: async (index) => {
      const old = nodes[index];
      await old?.dispose();
      return start(index, routerAddress(old));
    },
    close: async () => {
      await tests.dispose();
      assert.equal(tests.pendingTimers(), 0, 'disposed nodes leave no timer');
      await rm(directory, { recursive: true });
    },
  };
}

for (const [transport, host] of [
  ['memory', '127.0.0.1'],
  ['tcp', '127.0.0.1'],
  ['tcp', '[::1]'],
] as const) {
  const name = `libp2p over ${transport} at ${host}`;
  const factory = (): Promise<ClusterSubject> => cluster(transport, host);
  membershipSuite({
    test,
    assert,
    pause,
    factory,
    manifest: { name, supports: { join: true, stop: true, restart: true } },
  });
  // What a stream carries does not depend on the address family.
  if (host !== '[::1]') recordsSuite({ test, assert, pause, factory, manifest: { name, supports: { stop: true } } });
}
