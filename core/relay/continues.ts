import { PeiliError } from '../errors.ts';
import type { PeerResponse } from '../ports/index.ts';
import { parseContentRange } from '../requests/range.ts';
import type { Window } from './window.ts';

/** What an answer to a range request turned out to give. */
export interface AcceptedHead {
  readonly sizeBytes: number;
  readonly start: number;
  readonly end: number;
  readonly contentType: string | undefined;
}

/** Whether the start of the window lies past the end, as far as this source says. */
export interface PastEnd {
  readonly pastEnd: true;
  readonly sizeBytes: number;
}

export interface Wanted {
  readonly digest: string;
  readonly window: Window;
  /** Known from an earlier head, a verified manifest or, of empty content, its digest; undefined before the first head. */
  readonly sizeBytes: number | undefined;
  /** Where this source failed before: it is used up to there, however much more it gives. */
  readonly failedAt: number | undefined;
}

/**
 * Decides whether an answer continues a body: an exact 206 of the same size and digest, or, at offset 0 of a body that has not begun, the whole
 * content as 200 (a server may ignore Range, RFC 9110 section 14.2). Anything else throws `PEER_REFUSED`, `OVERLOADED` or `CONTENT_ABSENT`.
 */
export function acceptHead(response: PeerResponse, wanted: Wanted): AcceptedHead | PastEnd {
  const { status, headers } = response;
  if (status === 404) throw new PeiliError('CONTENT_ABSENT', 'the member has it no longer', { status });
  if (status === 503 || status === 429) throw new PeiliError('OVERLOADED', 'the member is overloaded', { status });
  const digest = headers['docker-content-digest'];
  if (digest !== undefined && digest !== wanted.digest) throw refused('another digest', { digest });
  if (status === 416) return acceptPastEnd(headers['content-range'], wanted);
  if (status === 206) return acceptPart(headers, wanted);
  if (status === 200 && wanted.window.start === 0) return acceptWhole(headers, wanted);
  throw refused('a status that does not continue the body', { status });
}

function acceptPart(headers: PeerResponse['headers'], wanted: Wanted): AcceptedHead {
  const range = parseContentRange(headers['content-range']);
  if (range?.type !== 'part') throw refused('no usable Content-Range');
  const { start, end, sizeBytes } = range;
  checkSize(sizeBytes, wanted);
  const endWanted = Math.min(wanted.window.end, sizeBytes);
  if (start !== wanted.window.start || end !== endWanted) throw refused('another range', { start, end });
  const length = headers['content-length'];
  if (length !== undefined && length !== String(end - start)) throw refused('another length', { length });
  return { sizeBytes, start, end, contentType: headers['content-type'] };
}

function acceptWhole(headers: PeerResponse['headers'], wanted: Wanted): AcceptedHead {
  const length = headers['content-length'] ?? '';
  if (!/^\d{1,15}$/.test(length)) throw refused('no usable Content-Length', { length });
  const sizeBytes = Number(length);
  checkSize(sizeBytes, wanted);
  const end = Math.min(sizeBytes, wanted.failedAt ?? Infinity);
  return { sizeBytes, start: 0, end, contentType: headers['content-type'] };
}

function acceptPastEnd(contentRange: string | undefined, wanted: Wanted): PastEnd {
  const range = parseContentRange(contentRange);
  if (range?.type !== 'unsatisfied') throw refused('416 without a size');
  checkSize(range.sizeBytes, wanted);
  if (wanted.window.start < range.sizeBytes)
    throw refused('416 for a range that is inside', { sizeBytes: range.sizeBytes });
  return { pastEnd: true, sizeBytes: range.sizeBytes };
}

function checkSize(sizeBytes: number, wanted: Wanted): void {
  // Whether content is empty its digest says for certain.
  if (sizeBytes === 0 && wanted.sizeBytes !== 0) throw refused('no bytes');
  if (wanted.sizeBytes !== undefined && sizeBytes !== wanted.sizeBytes) throw refused('another size', { sizeBytes });
}

function refused(why: string, details: Record<string, string | number> = {}): PeiliError {
  return new PeiliError('PEER_REFUSED', `the member answered with ${why}`, details);
}
