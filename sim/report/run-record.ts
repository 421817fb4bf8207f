/** What a report shows of one run: plain values, bounded whatever the run was. */
export interface RunRecord {
  readonly scenario: string;
  readonly policy: string;
  readonly seed: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly nodes: readonly { readonly name: string; readonly zone: string }[];
  readonly pulls: readonly PullRecord[];
  readonly faults: readonly FaultRecord[];
  /** What left the registry, in steps of `stepUs` since the beginning. */
  readonly egress: { readonly stepUs: number; readonly bytes: readonly number[] };
}

export interface PullRecord {
  readonly node: string;
  readonly image: string;
  readonly sizeBytes: number;
  readonly startUs: number;
  /** Undefined: still under way when the run ended. */
  readonly endUs: number | undefined;
  readonly outcome: string;
  /** How much had come by when, through the own mirror and from upstream directly. */
  readonly progress: readonly ProgressPoint[];
  readonly sources: readonly SourceRecord[];
  readonly objects: readonly ObjectRecord[];
  readonly steps: readonly StepRecord[];
  readonly stepsDropped: number;
}

export interface ProgressPoint {
  readonly atUs: number;
  readonly mirrorBytes: number;
  readonly upstreamBytes: number;
}

/** Who gave how much: the name of a node, `upstream`, or `local`: the own store. */
export interface SourceRecord {
  readonly source: string;
  readonly bytes: number;
}

/** One manifest or blob. */
export interface ObjectRecord {
  readonly key: string;
  readonly kind: 'tag' | 'manifest' | 'blob';
  readonly startUs: number;
  readonly endUs: number;
  readonly bytes: number;
  /** Requests of containerd for it. */
  readonly requests: number;
}

/** One thing that went another way than straight ahead. */
export interface StepRecord {
  readonly atUs: number;
  readonly key: string;
  readonly says: string;
}

export interface FaultRecord {
  readonly kind: string;
  /** The name of a node, or `upstream`. */
  readonly target: string;
  readonly fromUs: number;
  /** Undefined: it did not end. */
  readonly toUs: number | undefined;
}
