import { ociErrorBody } from '../errors.ts';
import type { PeiliError } from '../errors.ts';
import type { Body, Chunk } from '../ports/index.ts';
import type { DistributionResponse } from './handler.ts';

/** What an error answer needs to know of its request; `DistributionRequest` and `RequestText` both fit. */
export interface Asker {
  readonly method: string;
  readonly mirrored?: boolean;
}

/**
 * The answer that an error becomes before the head has left: the OCI error body of the error table.
 *
 * - HEAD (and only HEAD) has the headers without the body.
 * - 405 names the methods (RFC 9110, 15.5.6); 416 names the size if the error's details hold `sizeBytes` (RFC 9110, 15.5.17).
 * - 429 and 5xx are for other mirrors: a client gets 404 and goes on to its next host (contract L11).
 */
export function errorResponse(error: PeiliError, asker?: Asker): DistributionResponse {
  const bytes = new TextEncoder().encode(ociErrorBody(error));
  const status = asker?.mirrored === true ? error.row.status : clientStatus(error.row.status);
  const headers = {
    'content-type': 'application/json',
    'content-length': String(bytes.byteLength),
    ...extraHeaders(error),
  };
  const response = { status, headers, error: error.code };
  return asker?.method === 'HEAD' ? response : { ...response, body: bytesBody(bytes) };
}

/** A body of bytes that are in memory already: one chunk, none if there are no bytes. */
export function bytesBody(bytes: Uint8Array): Body {
  let rest: Chunk | undefined = bytes.byteLength === 0 ? undefined : bytes;
  const done: IteratorResult<Chunk, undefined> = { done: true, value: undefined };
  return {
    next: () => {
      const value = rest;
      rest = undefined;
      return Promise.resolve(value === undefined ? done : { done: false, value });
    },
    return: () => {
      rest = undefined;
      return Promise.resolve(done);
    },
  };
}

function clientStatus(status: number): number {
  return status === 429 || status >= 500 ? 404 : status;
}

function extraHeaders(error: PeiliError): Record<string, string> {
  if (error.code === 'METHOD_UNSUPPORTED') return { allow: 'GET, HEAD' };
  const sizeBytes = error.details['sizeBytes'];
  if (error.code === 'RANGE_UNSATISFIABLE' && typeof sizeBytes === 'number')
    return { 'content-range': `bytes */${sizeBytes}` };
  return {};
}
