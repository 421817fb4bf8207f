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
  switch (fault?.kind) {
    case 'other-digest':
      return withHeaders(answer, { 'docker-content-digest': otherDigest });
    case 'short-length':
    case 'long-length': {
      const lengthBytes = Number(answer.headers['content-length'] ?? 0);
      const changed = lengthBytes + (fault.kind === 'long-length' ? fault.bytes : -fault.bytes);
      return withHeaders(answer, { 'content-length': String(Math.max(0, changed)) });
    }
    case 'other-size':
      return withRange(answer, 0, fault.bytes);
    case 'shift-range':
      return withRange(answer, fault.bytes, fault.bytes);
    default:
      return answer;
  }
}

function withRange(answer: DistributionResponse, shiftBytes: number, moreBytes: number): DistributionResponse {
  const range = parseContentRange(answer.headers['content-range']);
  if (range?.type !== 'part') return answer;
  const [start, end] = [range.start + shiftBytes, range.end + shiftBytes];
  const sizeBytes = range.sizeBytes + moreBytes;
  return withHeaders(answer, { 'content-range': formatContentRange({ type: 'part', start, end, sizeBytes }) });
}

function withHeaders(answer: DistributionResponse, headers: Readonly<Record<string, string>>): DistributionResponse {
  return { ...answer, headers: { ...answer.headers, ...headers } };
}
