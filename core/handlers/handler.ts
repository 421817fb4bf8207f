import type { ErrorCode } from '../errors.ts';
import type { Body } from '../ports/index.ts';
import type { DistributionRequest } from '../requests/request.ts';
import type { PullReport } from './pull-report.ts';

/** A mirror is a stack of these. Never throws but for `ABORTED`: an error is a response. */
export type Handler = (exchange: Exchange) => Promise<DistributionResponse>;

/** One request on its way through the stack. */
export interface Exchange {
  readonly request: DistributionRequest;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** Where this pull's events go. */
  readonly report: PullReport;
}

export interface DistributionResponse {
  readonly status: number;
  /** Lower-case names. `content-length` is always there when there is a body, or when the answer to HEAD would have one. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Exactly `content-length` bytes, or it rejects in between: the connection then ends with FIN,
   * after `DIGEST_MISMATCH` with RST (contract L2).
   */
  readonly body?: Body;
  /** Why it is no success, for the pull's story; the client reads it in the OCI error body. */
  readonly error?: ErrorCode;
}
