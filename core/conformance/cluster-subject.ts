import type { Member, Membership, Records } from '../ports/index.ts';
import type { Subject } from './harness.ts';

/** A small cluster of connected nodes, for the suites of membership and records. */
export interface ClusterSubject extends Subject {
  /** Three nodes at least, all started. */
  readonly nodes: readonly ClusterNode[];
  /** Starts one more node; only asked for with `join`. */
  join?(): Promise<ClusterNode>;
  /** Stops a node without farewell; only asked for with `stop`. */
  stop?(index: number): Promise<void>;
  /** Stops a node and starts it again under its old identity; only asked for with `restart`. */
  restart?(index: number): Promise<ClusterNode>;
}

export interface ClusterNode {
  readonly membership: Membership;
  readonly records: Records;
}

/** Two nodes of a cluster that know each other, and how the first sees the second. */
export interface Pair {
  readonly from: ClusterNode;
  readonly to: ClusterNode;
  /** `to`, as `from` knows it. */
  readonly toMember: Member;
}

export function memberById(node: ClusterNode, id: string): Member | undefined {
  return node.membership.members().find((member) => member.id === id);
}

export function areAllAcquainted(nodes: readonly ClusterNode[]): boolean {
  return nodes.every((node) =>
    nodes.every((other) => other === node || memberById(node, other.membership.self.id) !== undefined),
  );
}

export function pairOf(nodes: readonly ClusterNode[], fromIndex = 0, toIndex = 1): Pair {
  const from = nodes[fromIndex];
  const to = nodes[toIndex];
  if (from === undefined || to === undefined) throw new Error('the factory made too small a cluster');
  const toMember = memberById(from, to.membership.self.id);
  if (toMember === undefined) throw new Error('the nodes do not know each other');
  return { from, to, toMember };
}
