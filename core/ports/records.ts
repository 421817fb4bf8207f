import type { Disposer } from './content-store.ts';
import type { Member } from './membership.ts';

/**
 * A key's place in routing: sha256 over the UTF-8 text of a digest or of a tag reference, 64 hex characters. What travels, and what soft state is
 * kept under; the kad key of the same thing is the multihash 0x12 0x20 + these 32 bytes, and its Kademlia position is sha256 over those 34 bytes.
 */
export type RoutingKey = string;

/**
 * The soft state of "who has it", kept at the members nearest to a key. A record speaks for its sender only:
 * the transport says who the sender is, a message cannot.
 */
export interface Records {
  /**
   * Tells `member` what this node holds and holds no longer. To a Spegel member additions become ADD_PROVIDER messages, withdrawals nothing.
   * Resolves when the member has taken it. Rejects with `MEMBER_UNREACHABLE`, or with `QUOTA_EXCEEDED` when it kept a part only.
   */
  send(member: Member, batch: RecordBatch, signal: AbortSignal): Promise<void>;
  /** Asks `member` who has `key`. Rejects with `MEMBER_UNREACHABLE`. */
  lookup(member: Member, key: RoutingKey, signal: AbortSignal): Promise<LookupAnswer>;
  /** Whether a call to `member` goes over a connection that stands: else it dials first, which takes processors at both ends some milliseconds. */
  isConnected(member: Member): boolean;
  /** The handler of what other members send and ask. One per node. */
  serve(handler: RecordsHandler): Disposer;
}

export interface RecordsHandler {
  /** Throws `QUOTA_EXCEEDED` where a limit is reached: the additions below it were kept. */
  onBatch(sender: Member, batch: RecordBatch): void;
  onLookup(asker: Member | undefined, key: RoutingKey): LookupAnswer;
}

export interface RecordBatch {
  /** The sender's incarnation. */
  readonly incarnation: number;
  /** Grows with each batch of an incarnation: an older one is ignored key by key. Gaps mean nothing. */
  readonly sequence: number;
  /** The batch is everything that the sender has to say to this member: whatever else it said before is void. */
  readonly complete: boolean;
  readonly add: readonly RecordEntry[];
  readonly withdraw: readonly RoutingKey[];
  /** How long the entries live unless said again, microseconds. */
  readonly ttlUs: number;
  /** Upload slots free at the sender now. */
  readonly freeSlots?: number;
}

export interface RecordEntry {
  readonly key: RoutingKey;
  /** Tags only: what it means at the sender, and for how long it has (microseconds; a difference, so clocks need not agree). */
  readonly tag?: { readonly digest: string; readonly ageUs: number };
}

export interface LookupAnswer {
  readonly holders: readonly Holder[];
  /** The asked member restarted lately and was not told everything again: its "nobody" means nothing. */
  readonly warming: boolean;
  /** Members that the asked one knows and that are nearer to the key than itself; empty if it is among the nearest, so to an asker with a full view. */
  readonly closer: readonly Member[];
}

export interface Holder {
  readonly member: Member;
  readonly tag?: { readonly digest: string; readonly ageUs: number };
  /** Upload slots that the holder had free when it last said so; undefined when unknown. */
  readonly freeSlots?: number;
}
