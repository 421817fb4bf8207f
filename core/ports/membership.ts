import type { Disposer } from './content-store.ts';

/** Who speaks: `peili` nodes speak our records protocol, `spegel` nodes ordinary kad messages. */
export type MemberKind = 'peili' | 'spegel';

export interface Member {
  /** The libp2p peer id as text. */
  readonly id: string;
  /** sha256 of the peer id's bytes: the member's place in Kademlia's key space. 32 bytes. */
  readonly position: Uint8Array;
  /** IP addresses (no port), best first; IPv6 without brackets. */
  readonly addresses: readonly string[];
  readonly registryPort: number;
  readonly kind: MemberKind;
  /** Topology zone; empty when unknown. */
  readonly zone: string;
  /** Grows with every start of that node: a higher one means that it forgot what it was told. 0 for Spegel nodes. */
  readonly incarnation: number;
  /** Whether a connection is open now. A member without one is dialled on need. */
  readonly connected: boolean;
}

/** The members of the cluster that this node has met, itself left out. */
export interface Membership {
  readonly self: Member;
  /** All known members; the same array until something changes. */
  members(): readonly Member[];
  /** After `members()` has changed. */
  watch(listener: (change: MembershipChange) => void): Disposer;
}

export type MembershipChange =
  | { readonly type: 'joined'; readonly member: Member }
  | { readonly type: 'restarted'; readonly member: Member }
  | { readonly type: 'updated'; readonly member: Member }
  | { readonly type: 'left'; readonly id: string };
