import { abortReason } from '../abort.ts';
import type { Scope } from '../abort.ts';
import { errorCodeOf, PeiliError, reasonOf } from '../errors.ts';
import { scheduleFair } from '../fair-timer.ts';
import type { PullReport } from '../handlers/pull-report.ts';
import type { PeerRequest, PeerResponse } from '../ports/index.ts';
import type { RelayDeps } from './relay-deps.ts';
import type { Source } from './source-set.ts';

type AskDeps = Pick<RelayDeps, 'clock' | 'peers' | 'standing'>;

/**
 * Sends one request and judges the head of its answer; a refused answer's body is let go of. What it costs the source's standing, and what the
 * pull's story says of it, happens here and nowhere else.
 * @param accept throws to refuse the answer.
 */
export async function ask<T>(
  deps: AskDeps,
  source: Source,
  request: PeerRequest,
  scope: Scope,
  report: PullReport,
  accept: (response: PeerResponse) => T | Promise<T>,
): Promise<T> {
  const startedUs = deps.clock.nowUs();
  try {
    const response = await deps.peers.fetch(source.member, request, scope.signal);
    try {
      if (scope.signal.aborted) throw abortReason(scope.signal);
      const accepted = await accept(response);
      deps.standing.answered(source.id);
      return accepted;
    } catch (error) {
      await response.body?.return();
      throw error;
    }
  } catch (error) {
    const failure = scope.signal.aborted ? abortReason(scope.signal) : error;
    const code = errorCodeOf(failure);
    if (code !== 'ABORTED') {
      deps.standing.failed(source.id, code);
      report.step({
        type: 'attempt-failed',
        source: source.id,
        reason: reasonOf(failure),
        tookUs: deps.clock.nowUs() - startedUs,
      });
    }
    throw failure;
  }
}

/** Runs a call that must settle in time: on time-out the scope aborts with that reason. The timer is gone when it settles. */
export async function headWithin<T>(
  deps: Pick<RelayDeps, 'clock'>,
  timeoutUs: number,
  scope: Scope,
  call: () => Promise<T>,
  code: 'HEAD_TIMEOUT' | 'MANIFEST_TIMEOUT' = 'HEAD_TIMEOUT',
): Promise<T> {
  const timer = scheduleFair(deps.clock, timeoutUs, () => {
    scope.abort(new PeiliError(code, 'no answer in time', { timeoutUs }));
  });
  try {
    return await call();
  } finally {
    timer.cancel();
  }
}
