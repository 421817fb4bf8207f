import type { Body } from './body.ts';
import type { Member } from './membership.ts';

/** Distribution requests to another member's registry. */
export interface PeerClient {
  /**
   * Sends one request and resolves with the head of its answer; the body, if any, is read by the caller, who ends it (to its end or with `return()`).
   * Marked as coming from a mirror, so the member answers from its own store alone.
   *
   * Rejects with `DIAL_TIMEOUT`, `DIAL_REFUSED`, `PEER_PROTOCOL` (an answer that is not HTTP) or `PEER_CLOSED`; aborting rejects with `ABORTED`.
   * The head's time-out is the caller's (it aborts the signal); the dial's is the client's (`limits.dialTimeoutUs`).
   */
  fetch(member: Member, request: PeerRequest, signal: AbortSignal): Promise<PeerResponse>;
}

export interface PeerRequest {
  readonly method: 'GET' | 'HEAD';
  /** The path with its query, `/v2/library/busybox/blobs/sha256:...?ns=docker.io`. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface PeerResponse {
  readonly status: number;
  /** Lower-case names; a repeated field's values joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Absent when the answer has none (HEAD, 204, 304). Ends cleanly only after all promised bytes. */
  readonly body?: Body;
}
