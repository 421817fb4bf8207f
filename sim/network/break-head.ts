import { formatContentRange, parseContentRange } from '../../core/index.ts';
import type { DistributionResponse, RequestText } from '../../core/index.ts';
import type { HttpFault } from './http-fault.ts';

const otherDigest = `sha256:${'0'.repeat(64)}`;

/** The request as a server sees it that has this fault. */
export function breakRequest(request: RequestText, fault: HttpFault | undefined): RequestText {
  if (fault?.kind !== 'ignore-range') return request;
  const { range: _range, ...headers } = request.headers;
  return { ...request, headers };
}

/** The answer as it leaves such a server. */
export function breakHead(answer: DistributionResponse, fault: HttpFault | undefined): DistributionResponse {
  if (fault?.kind === 'other-digest') {
    return { ...answer, headers: { ...answer.headers, 'docker-content-digest': otherDigest } };
  }
  const range = parseContentRange(answer.headers['content-range']);
  if (range?.type !== 'part') return answer;
  const { start, end, sizeBytes } = range;
  const say = (changed: typeof range): DistributionResponse => ({
    ...answer,
    headers: { ...answer.headers, 'content-range': formatContentRange(changed) },
  });
  if (fault?.kind === 'other-size') return say({ ...range, sizeBytes: sizeBytes + fault.bytes });
  if (fault?.kind === 'shift-range') {
    return say({
      type: 'part',
      start: start + fault.bytes,
      end: end + fault.bytes,
      sizeBytes: sizeBytes + fault.bytes,
    });
  }
  return answer;
}
