import { createSystemClock } from '../../system/clock.ts';
import { createRandom } from '../../system/random.ts';
import { limitsWith, silentObserver } from '../../../core/index.ts';
import type { Limits, Member } from '../../../core/index.ts';
import { createLibp2pNode } from '../libp2p-node.ts';
import type { Libp2pNode, Libp2pNodeDeps, Libp2pNodeOptions } from '../libp2p-node.ts';

export interface TestNodes {
  start(
    changes?: Partial<Omit<Libp2pNodeOptions, 'limits'>>,
    deps?: Partial<Libp2pNodeDeps>,
    limits?: Partial<Limits>,
  ): Promise<Libp2pNode>;
  /** Timers that wait in all nodes. */
  pendingTimers(): number;
  dispose(): Promise<void>;
}

/** Real nodes on loopback, or in memory, that end together. */
export function createTestNodes(changes: Partial<Omit<Libp2pNodeOptions, 'limits'>> = {}): TestNodes {
  const clock = createSystemClock();
  const nodes: Libp2pNode[] = [];
  return {
    start: async (more = {}, deps = {}, limits = {}) => {
      const node = await createLibp2pNode(
        { clock, random: createRandom(), observer: silentObserver, ...deps },
        {
          routerAddress: '127.0.0.1:0',
          registryPort: 5000,
          zone: '',
          bootstrap: { kind: 'none' },
          ...changes,
          ...more,
          limits: limitsWith(limits),
        },
      );
      nodes.push(node);
      return node;
    },
    pendingTimers: clock.pending,
    dispose: async () => {
      await Promise.all(nodes.map((node) => node.dispose()));
    },
  };
}

export function staticBootstrap(...nodes: readonly Libp2pNode[]): Libp2pNodeOptions['bootstrap'] {
  return { kind: 'static', peers: nodes.flatMap(({ addresses }) => addresses) };
}

/** Waits for a condition, at most a few seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}

export function seenBy(node: Libp2pNode, other: { readonly peerId: string }): Member | undefined {
  return node.membership.members().find(({ id }) => id === other.peerId);
}

/** How `node` sees `other`, once it does. */
export async function meeting(node: Libp2pNode, other: { readonly peerId: string }): Promise<Member> {
  await until('they see each other', () => seenBy(node, other) !== undefined);
  const member = seenBy(node, other);
  if (member === undefined) throw new Error('seen and gone');
  return member;
}

export function neverAborted(): AbortSignal {
  return new AbortController().signal;
}
