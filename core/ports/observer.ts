/** Where what happened goes: logs, metrics, pages and traces are views of it. Its methods must not throw and must be quick. */
export interface Observer {
  onPull(event: PullEvent): void;
  onNode(event: NodeEvent): void;
}

/** A source of bytes in an event: a member's id, or this node's own store. */
export type SourceId = string;
export const localSourceId: SourceId = 'local';
/** Where a body goes on after this node's own file failed: the events that follow say who. */
export const peersSourceId: SourceId = 'peers';

interface PullStamp {
  /** Distinguishes the requests of one node. */
  readonly pullId: number;
  /** Monotonic microseconds. */
  readonly atUs: number;
}

/** Everything that happens between a request's arrival and its end. */
export type PullEvent = PullStamp & PullStep;

export type PullStep =
  | {
      readonly type: 'start';
      readonly method: string;
      readonly resource: 'manifest' | 'blob';
      /** The digest or the tag reference. */
      readonly key: string;
      readonly registry: string | undefined;
      readonly repository: string;
      /** Asked by another mirror. */
      readonly mirrored: boolean;
      readonly range: string | undefined;
    }
  | { readonly type: 'lookup'; readonly sources: number; readonly tookUs: number; readonly outcome: LookupOutcome }
  | {
      readonly type: 'attempt';
      readonly source: SourceId;
      readonly zone: string;
      readonly from: number;
      readonly hedge: boolean;
    }
  | { readonly type: 'attempt-failed'; readonly source: SourceId; readonly reason: string; readonly tookUs: number }
  | {
      readonly type: 'head';
      readonly source: SourceId;
      readonly status: number;
      readonly sizeBytes: number | undefined;
      readonly tookUs: number;
      /** Tags: for how long the answer has been true at its source. */
      readonly ageUs?: number;
    }
  /** One run of bytes from one source, reported when the run ends: [from, to). */
  | { readonly type: 'bytes'; readonly source: SourceId; readonly from: number; readonly to: number }
  | { readonly type: 'stall'; readonly source: SourceId; readonly at: number; readonly waitedUs: number }
  | {
      readonly type: 'switch';
      readonly from: SourceId;
      readonly to: SourceId;
      readonly at: number;
      readonly reason: string;
    }
  | { readonly type: 'resume'; readonly source: SourceId; readonly at: number }
  | { readonly type: 'suspect'; readonly source: SourceId; readonly proof: 'pending' | 'honest' | 'wrong' | 'none' }
  /** Bytes of one source alone did not match the digest, or it said so itself. */
  | { readonly type: 'liar'; readonly source: SourceId; readonly digest: string }
  | {
      readonly type: 'end';
      readonly reason: PullEnd;
      readonly status: number;
      readonly bytes: number;
      readonly tookUs: number;
    };

export type LookupOutcome = 'found' | 'nobody' | 'timeout' | 'unreachable';
/** `complete`: all promised bytes; `not-found`, `filtered`, `switched-off`, `rejected`: an error answer; `cut`: FIN in mid-body; `mismatch`: RST; `hangup`: the client went. */
export type PullEnd =
  'complete' | 'not-found' | 'filtered' | 'switched-off' | 'rejected' | 'cut' | 'mismatch' | 'hangup';

/** How much a mirror does, the most first: `serve-only` sends its own clients upstream and goes on serving other mirrors; `off` does neither. */
export const mirrorModes = ['on', 'serve-only', 'off'] as const;
export type MirrorMode = (typeof mirrorModes)[number];

export type NodeEvent =
  | { readonly type: 'advertised'; readonly keys: number; readonly digests: number; readonly tags: number }
  | { readonly type: 'advertise-failed'; readonly member: string; readonly reason: string }
  | { readonly type: 'withdrawn'; readonly keys: number }
  | { readonly type: 'draining' }
  | { readonly type: 'mode'; readonly mode: MirrorMode }
  /** What is to say the mode says nothing that is understood; what was said before holds. */
  | { readonly type: 'mode-failed'; readonly reason: string }
  | { readonly type: 'records'; readonly keys: number; readonly senders: number; readonly warming: boolean }
  | { readonly type: 'members'; readonly total: number; readonly connected: number }
  | { readonly type: 'ready'; readonly ready: boolean; readonly reason: string }
  | { readonly type: 'content-wrong'; readonly digest: string }
  /** A request without the credentials that mirrors ask for. */
  | { readonly type: 'unauthorized'; readonly mirrored: boolean }
  /** This node's hosts.toml files were not as configured, and are again. */
  | { readonly type: 'hosts-mended'; readonly paths: readonly string[] }
  /** They are not as configured, and cannot be mended, or not be read. */
  | { readonly type: 'hosts-failed'; readonly reason: string }
  /** A fault of this program: a request was not answered as promised. */
  | { readonly type: 'request-failed'; readonly reason: string }
  | { readonly type: 'store-failed'; readonly reason: string }
  /** Stores that are another program's, containerd: whether it answers, and what to do if not. Told again while it does not. */
  | {
      readonly type: 'store-connection';
      readonly store: string;
      readonly connected: boolean;
      readonly reason: string;
    }
  | { readonly type: 'name-skipped'; readonly name: string; readonly reason: string }
  /** A tiny image of the reserved registry was pulled through this node's containerd: whether it asked this mirror for it. */
  | {
      readonly type: 'canary';
      readonly arrived: boolean;
      readonly outcome: CanaryOutcome;
      /** One sentence: what it means, and what to look at. */
      readonly reason: string;
      readonly tookUs: number;
    };

/**
 * `arrived`: this mirror was asked; `elsewhere`: another mirror was, and gave it; `not-asked`: the pull failed without any mirror; `timeout`: it did not end;
 * `unreachable`: containerd could not be told to pull.
 */
export type CanaryOutcome = 'arrived' | 'elsewhere' | 'not-asked' | 'timeout' | 'unreachable';

export const silentObserver: Observer = { onPull: () => undefined, onNode: () => undefined };
