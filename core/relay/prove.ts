import { openScope, settleOrAbort } from '../abort.ts';
import { PeiliError } from '../errors.ts';
import type { PullReport } from '../handlers/pull-report.ts';
import { targetOf } from '../requests/reference.ts';
import type { BlobRequest } from '../requests/request.ts';
import { selfCheckHeader } from '../verification/self-check-header.ts';
import type { RelayDeps } from './relay-deps.ts';
import type { Source } from './source-set.ts';

/**
 * Asks a suspect to check its own file: true if it says within `selfCheckWaitUs` that the file is right. One that says it is wrong has named itself.
 * Without proof it is not asked for bytes: the client goes upstream, which costs a copy and never a pull (contract L6, L8).
 */
export async function proveSource(
  deps: RelayDeps,
  request: BlobRequest,
  source: Source,
  report: PullReport,
  signal: AbortSignal,
): Promise<boolean> {
  const { clock, failures, limits, peers } = deps;
  const { digest } = request;
  if (source.member.kind === 'spegel') {
    report.step({ type: 'suspect', source: source.id, proof: 'none' });
    return false; // It has no such check.
  }
  report.step({ type: 'suspect', source: source.id, proof: 'pending' });
  const scope = openScope(signal);
  const timer = clock.schedule(limits.selfCheckWaitUs, () => {
    scope.abort(new PeiliError('HEAD_TIMEOUT', 'no proof in time'));
  });
  try {
    const target = targetOf({ ...request, range: undefined });
    const ask = { method: 'HEAD', target, headers: { [selfCheckHeader]: 'true' } } as const;
    const response = await settleOrAbort(peers.fetch(source.member, ask, scope.signal), scope.signal);
    await response.body?.return();
    const said = response.headers[selfCheckHeader];
    const proof = said === 'right' ? 'honest' : said === 'wrong' ? 'wrong' : 'none';
    report.step({ type: 'suspect', source: source.id, proof });
    if (proof === 'wrong') {
      failures.remember(digest, source.id, 0);
      report.step({ type: 'liar', source: source.id, digest });
    }
    return proof === 'honest';
  } catch {
    if (!signal.aborted) report.step({ type: 'suspect', source: source.id, proof: 'none' });
    return false;
  } finally {
    timer.cancel();
    scope.close();
  }
}
