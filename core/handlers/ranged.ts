import { PeiliError } from '../errors.ts';
import type { Body } from '../ports/index.ts';
import { formatContentRange, parseRange, resolveRange } from '../requests/range.ts';
import type { BlobRequest, ManifestRequest } from '../requests/request.ts';
import type { DistributionResponse } from './handler.ts';
import { errorResponse } from './responses.ts';

/** Content that is about to be answered with: all that its head needs. */
export interface Answerable {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  /** Tags: for how long this has been what the tag means here. Travels as `Age` (RFC 9111 section 5.1). */
  readonly ageUs?: number | undefined;
}

/** What a header can carry: media types come from manifests' authors and from peers. */
const fieldValue = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;

/** What of the content a request means. */
export type Asked =
  | { readonly type: 'whole' | 'part'; readonly start: number; readonly end: number }
  | { readonly type: 'unsatisfiable' };

export function askedOf(request: ManifestRequest | BlobRequest, sizeBytes: number): Asked {
  const range = resolveRange(parseRange(request.range), sizeBytes, request);
  return range.type === 'whole' ? { type: 'whole', start: 0, end: sizeBytes } : range;
}

/**
 * The answer for content of a known size: 200, 206 or 416, with every header that a registry's client expects. HEAD has no body, and the same head.
 * @param open called for GET only, with the bytes that the answer promises.
 */
export async function rangedResponse(
  request: ManifestRequest | BlobRequest,
  content: Answerable,
  open: (start: number, end: number) => Body | Promise<Body>,
): Promise<DistributionResponse> {
  const { sizeBytes } = content;
  const asked = askedOf(request, sizeBytes);
  if (asked.type === 'unsatisfiable') return unsatisfiable(request, sizeBytes);
  const part = { type: 'part', start: asked.start, end: asked.end, sizeBytes } as const;
  const headers = {
    'content-type': fieldValue.test(content.contentType) ? content.contentType : 'application/octet-stream',
    'content-length': String(asked.end - asked.start),
    'docker-content-digest': content.digest,
    'accept-ranges': 'bytes',
    ...(request.registry === undefined ? {} : { 'oci-namespace': request.registry }),
    ...(content.ageUs === undefined ? {} : { age: String(Math.floor(content.ageUs / 1_000_000)) }),
    ...(asked.type === 'part' ? { 'content-range': formatContentRange(part) } : {}),
  };
  const status = asked.type === 'part' ? 206 : 200;
  return request.method === 'HEAD'
    ? { status, headers }
    : { status, headers, body: await open(asked.start, asked.end) };
}

export function unsatisfiable(request: ManifestRequest | BlobRequest, sizeBytes: number): DistributionResponse {
  const error = new PeiliError(
    'RANGE_UNSATISFIABLE',
    `the range lies outside the ${String(sizeBytes)} bytes of this content`,
    { sizeBytes },
  );
  return errorResponse(error, request);
}
