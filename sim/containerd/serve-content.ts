import { formatContentRange, parseRange, resolveRange } from '../../core/index.ts';
import type { DistributionResponse, RequestText } from '../../core/index.ts';
import type { SimContent } from '../content/catalogue.ts';
import type { SimStore } from './sim-store.ts';

/** An answer that carries content, or the part of it that is asked for, as any registry gives it. 404 where there is none. */
export async function serveContent(
  store: SimStore,
  content: SimContent | undefined,
  { headers, method }: RequestText,
  signal: AbortSignal,
): Promise<DistributionResponse> {
  if (content === undefined || !store.has(content.digest)) return empty(404);
  const { digest, mediaType, sizeBytes } = content;
  // `bytes=0-` is a part as any other here: our own mirror alone answers it with the whole.
  const range = resolveRange(parseRange(headers['range']), sizeBytes, { mirrored: true });
  if (range.type === 'unsatisfiable') return empty(416);
  const isPart = range.type === 'part';
  const [start, end] = isPart ? [range.start, range.end] : [0, sizeBytes];
  const head = {
    'content-length': String(end - start),
    'content-type': mediaType,
    'docker-content-digest': digest,
    ...(isPart ? { 'content-range': formatContentRange({ type: 'part', start, end, sizeBytes }) } : {}),
  };
  const status = isPart ? 206 : 200;
  if (method === 'HEAD') return { status, headers: head };
  return { status, headers: head, body: await store.open(digest, start, end, signal) };
}

export function empty(status: number, headers: Readonly<Record<string, string>> = {}): DistributionResponse {
  return { status, headers: { 'content-length': '0', ...headers } };
}

export interface AskedFor {
  readonly kind: 'manifests' | 'blobs';
  readonly repository: string;
  /** A digest or a tag. */
  readonly reference: string;
  readonly isDigest: boolean;
  readonly registry: string | undefined;
}

/** What a request's target asks for; undefined when it is none of content. */
export function askedFor(target: string): AskedFor | undefined {
  const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^?]+)(?:\?ns=(.+))?$/.exec(target);
  if (match === null) return undefined;
  const [, repository = '', kind, reference = '', registry] = match;
  return {
    kind: kind === 'blobs' ? kind : 'manifests',
    repository,
    reference,
    isDigest: reference.includes(':'),
    registry,
  };
}
