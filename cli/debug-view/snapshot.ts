import type { CanaryOutcome, LookupOutcome, MemberKind, MirrorMode, PullEnd } from '../../core/index.ts';

/**
 * What the debug view shows, and `/debug/web/api` answers as JSON. Times are milliseconds: `...Ms` durations, `atMs` since the epoch;
 * sizes are bytes. `null`: not known yet, or not measured.
 */
export interface DebugSnapshot {
  readonly version: string;
  readonly atMs: number;
  readonly startedAtMs: number;
  readonly verdict: Verdict;
  readonly node: {
    readonly id: string;
    readonly zone: string;
    readonly registry: readonly string[];
  } | null;
  readonly ready: { readonly ready: boolean; readonly reason: string };
  /** How much the operator lets this mirror do. */
  readonly mode: MirrorMode;
  /** When a peer last gave what a client had asked for. */
  readonly lastSuccess: { readonly atMs: number; readonly image: string; readonly from: readonly string[] } | null;
  readonly canary: CanaryView | null;
  readonly members: {
    readonly total: number;
    readonly connected: number;
    /** The connected ones first; at most `limits.viewMembersMax`. */
    readonly list: readonly MemberView[];
  };
  readonly advertised: { readonly keys: number; readonly digests: number; readonly tags: number } | null;
  /** Names in the content store; at most `limits.viewImagesMax`, `total` says how many there are. */
  readonly images: { readonly total: number; readonly names: readonly string[] };
  readonly saved: SavedView;
  /** The latest first. */
  readonly pulls: readonly ImagePullView[];
  readonly measurements: readonly MeasurementView[];
  /** What went wrong outside of pulls, the latest first. */
  readonly troubles: readonly TroubleView[];
}

export interface Verdict {
  /** `working`: containerd asks and peers answer; `waiting`: all is well, and nothing was asked for yet or the operator does not want it; `trouble`: something has to be mended. */
  readonly state: 'starting' | 'working' | 'waiting' | 'trouble';
  readonly headline: string;
  readonly explanation: string;
}

export interface CanaryView {
  readonly arrived: boolean;
  readonly outcome: CanaryOutcome;
  readonly reason: string;
  readonly tookMs: number;
  readonly atMs: number;
}

export interface MemberView {
  readonly id: string;
  readonly kind: MemberKind;
  readonly address: string;
  readonly registryPort: number;
  readonly zone: string;
  readonly connected: boolean;
}

export interface SavedView {
  /** Bytes that clients of this node got, by where they came from. */
  readonly peerBytes: number;
  readonly localBytes: number;
  /** Bytes that other mirrors got from this node. */
  readonly givenBytes: number;
  /** For how long bodies were on their way to clients. */
  readonly busyMs: number;
  /** How fast blobs that no peer had came from elsewhere, as this node saw them arrive in its store. */
  readonly upstream: { readonly bytesPerSecond: number; readonly blobs: number; readonly bytes: number } | null;
  /** What the upstream would have taken longer, at that rate; negative when it would have been faster. */
  readonly savedMs: number | null;
}

export interface ImagePullView {
  /** `registry/repository[:tag]`, as far as requests have said it. */
  readonly image: string;
  readonly atMs: number;
  readonly tookMs: number;
  readonly open: boolean;
  readonly bytes: number;
  readonly sources: readonly SourceBytes[];
  readonly objects: readonly ObjectView[];
  readonly objectsDropped: number;
}

export interface SourceBytes {
  /** A member's id, `local`, or `upstream`: what no mirror gave, and appeared in the store. */
  readonly source: string;
  readonly bytes: number;
}

/** One manifest or blob of an image, over all requests for it. */
export interface ObjectView {
  readonly key: string;
  readonly resource: 'manifest' | 'blob';
  /** The latest few requests, each with what it was given; its id is that of the header `peili-pull-id`. */
  readonly pulls: readonly { readonly pullId: number; readonly sources: readonly SourceBytes[] }[];
  readonly requests: number;
  /** Since the image's beginning. */
  readonly fromMs: number;
  readonly tookMs: number;
  readonly sizeBytes: number | null;
  readonly bytes: number;
  readonly status: number | null;
  readonly end: PullEnd | null;
  readonly sources: readonly SourceBytes[];
  readonly runs: readonly RunView[];
  readonly lookup: { readonly outcome: LookupOutcome; readonly sources: number; readonly tookMs: number } | null;
  /** Spent on sources that failed or sent nothing. */
  readonly waitedMs: number;
  readonly steps: readonly StepView[];
  readonly stepsDropped: number;
}

/** Bytes [from, to) of one source; times are since the image's beginning. */
export interface RunView {
  readonly source: string;
  readonly from: number;
  readonly to: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What happened on the way, `atMs` since the image's beginning. */
export type StepView = { readonly atMs: number } & (
  | { readonly type: 'failed'; readonly source: string; readonly reason: string; readonly tookMs: number }
  | { readonly type: 'stalled'; readonly source: string; readonly offset: number; readonly waitedMs: number }
  | {
      readonly type: 'switched';
      readonly source: string;
      readonly to: string;
      readonly offset: number;
      readonly reason: string;
    }
  | { readonly type: 'resumed'; readonly source: string; readonly offset: number }
  | { readonly type: 'suspected'; readonly source: string; readonly proof: string }
  | { readonly type: 'lied'; readonly source: string }
);

export interface MeasurementView {
  readonly reference: string;
  readonly atMs: number;
  readonly ownContent: boolean;
  readonly tookMs: number;
  readonly lookup: {
    readonly outcome: LookupOutcome;
    readonly tookMs: number;
    readonly holders: readonly { readonly source: string; readonly zone: string }[];
  };
  readonly bytes: number;
  readonly objects: readonly MeasuredObject[];
  /** Why it ended before the whole image was read; null: it did not. */
  readonly stopped: string | null;
}

export interface MeasuredObject {
  readonly key: string;
  readonly resource: 'manifest' | 'blob';
  readonly status: number;
  readonly bytes: number;
  readonly sizeBytes: number | null;
  /** Until the answer's head. */
  readonly headMs: number;
  readonly tookMs: number;
  readonly sources: readonly SourceBytes[];
  readonly steps: readonly StepView[];
}

export interface TroubleView {
  readonly what: string;
  readonly reason: string;
  readonly count: number;
  readonly atMs: number;
}
