/**
 * Something that happens on containerd nodes and in the simulator alike. Node `i` of both has the same part; what a node sends and what the upstream sends is
 * capped alike; times are from the first pull.
 */
export interface Situation {
  readonly name: string;
  /** `fitted`: the simulator's numbers were chosen after it. `judged`: predicted before it was measured. */
  readonly use: 'fitted' | 'judged';
  /** A zone each; a mirror asks its own zone first. */
  readonly zones: readonly string[];
  readonly upstreamBitsPerSecond: number;
  /** What each node sends. */
  readonly nodeBitsPerSecond: number;
  readonly layerBytes: readonly number[];
  /** Nodes that have the image before, and are known to have it. */
  readonly holders: readonly number[];
  readonly pulls: readonly { readonly node: number; readonly afterMs: number }[];
  /** What happens to a node's mirror, or to its cable. */
  readonly fault?: { readonly kind: 'freeze' | 'kill' | 'unplug'; readonly node: number; readonly afterMs: number };
}

/** What is compared. */
export interface Outcome {
  /** From the first pull's start to the last one's end, unpacking included. Seconds. */
  readonly makespanSeconds: number;
  /** What the upstream gave, of the image's bytes. */
  readonly upstreamCopies: number;
  /** The longest time in which a node that pulled got no byte, before it had all. Seconds. */
  readonly longestGapSeconds: number;
}

export const outcomeNames = ['makespanSeconds', 'upstreamCopies', 'longestGapSeconds'] as const;
