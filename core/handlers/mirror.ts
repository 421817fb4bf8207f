import type { DistributionResponse } from './handler.ts';

/** One node's mirror: text of a request in, answer out. What a transport needs to know of the core. */
export interface Mirror {
  /**
   * Answers any request: what cannot be understood gets its OCI error. Rejects with `ABORTED` only.
   * Who takes the answer reads its body to the end or ends it with `return()`.
   */
  answer(input: RequestText, signal: AbortSignal): Promise<DistributionResponse>;
}

export interface RequestText {
  readonly method: string;
  /** Origin form: path and query as they came, percent-encoding untouched. */
  readonly target: string;
  /** Lower-case names; a repeated field's values joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
}
