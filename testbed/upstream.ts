import { once } from 'node:events';
import { createServer } from 'node:http';
import { isIPv6 } from 'node:net';
import { parse as parseRange } from 'range-parser';
import { contentOfImages, contentOfLayout } from './upstream-content.ts';
import { listenOn } from './listener.ts';
import { createPace } from './pace.ts';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pace } from './pace.ts';
import type { TestBlob } from './blob.ts';
import type { TestImage } from './image.ts';
import type { UpstreamContent } from './upstream-content.ts';

export interface UpstreamOptions {
  /** What it serves: images, or an OCI image layout directory. */
  readonly content: readonly TestImage[] | { readonly layout: string };
  /** An address of this machine. @default 127.0.0.1 */
  readonly host?: string;
  /** @default 0: any free one */
  readonly port?: number;
  /** All bodies together. @default no limit */
  readonly bytesPerSecond?: number;
}

export interface ContentCount {
  readonly requests: number;
  readonly bytes: number;
}

/** A small read-only registry (OCI distribution-spec, "Pull"): what a mirror's clients fall back to, and what is counted and broken in tests. */
export interface Upstream {
  /** `http://127.0.0.1:<port>`, with its host's address. */
  readonly url: string;
  readonly port: number;
  /** Bytes of manifests and blobs given to sockets. */
  bytesServed(): number;
  /** By digest; tags count for what they name. */
  counts(): ReadonlyMap<string, ContentCount>;
  resetCounts(): void;
  /** Connections are refused, those in use are reset. */
  cut(): Promise<void>;
  /** No byte more, connections stay: the way a registry behind a broken link looks. */
  stall(): void;
  /** Ends `cut`, `stall` and `limit`. */
  restore(): Promise<void>;
  limit(bytesPerSecond: number | undefined): void;
  close(): Promise<void>;
}

interface State {
  readonly content: UpstreamContent;
  readonly pace: Pace;
  readonly counts: Map<string, ContentCount>;
}

export async function startUpstream(options: UpstreamOptions): Promise<Upstream> {
  const { content, host = '127.0.0.1', port = 0, bytesPerSecond } = options;
  const state: State = {
    content: 'layout' in content ? contentOfLayout(content.layout) : contentOfImages(content),
    pace: createPace(bytesPerSecond),
    counts: new Map(),
  };
  const server = createServer((request, response) => {
    answer(state, request, response).catch(() => response.destroy());
  });
  const listener = await listenOn(server, port, host);
  const total = (): number => [...state.counts.values()].reduce((sum, count) => sum + count.bytes, 0);
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${listener.port}`,
    port: listener.port,
    bytesServed: total,
    counts: () => new Map(state.counts),
    resetCounts: () => {
      state.counts.clear();
    },
    cut: () => listener.refuse(),
    stall: () => {
      state.pace.stop();
    },
    restore: async () => {
      state.pace.limit(bytesPerSecond);
      state.pace.go();
      await listener.accept();
    },
    limit: (rate) => {
      state.pace.limit(rate);
    },
    close: () => listener.refuse(),
  };
}

const pathPattern = /^\/v2\/(?<repository>.+)\/(?<kind>manifests|blobs)\/(?<reference>[^/]+)$/;

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://upstream');
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'UNSUPPORTED');
  if (pathname === '/v2/') return void response.writeHead(200, { 'content-length': 2 }).end('{}');
  const { repository = '', kind, reference = '' } = pathPattern.exec(pathname)?.groups ?? {};
  const { content } = state;
  if (kind === 'blobs') {
    const blob = await content.blob(reference);
    return blob === undefined ? refuse(response, 404, 'BLOB_UNKNOWN') : sendBlob(state, blob, request, response);
  }
  if (kind !== 'manifests') return refuse(response, 404, 'NAME_UNKNOWN');
  const digest = reference.includes(':') ? reference : await content.resolve(repository, reference);
  const manifest = digest === undefined ? undefined : await content.manifest(digest);
  return manifest === undefined
    ? refuse(response, 404, 'MANIFEST_UNKNOWN')
    : sendBlob(state, manifest, request, response);
}

async function sendBlob(
  state: State,
  blob: TestBlob,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const range = rangeOf(request.headers.range, blob.sizeBytes);
  const base = { 'docker-content-digest': blob.digest, 'accept-ranges': 'bytes', 'content-type': blob.mediaType };
  if (range === 'unsatisfiable') {
    response.writeHead(416, { ...base, 'content-range': `bytes */${blob.sizeBytes}`, 'content-length': 0 }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: blob.sizeBytes };
  const partial = range === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${blob.sizeBytes}` };
  response.writeHead(range === undefined ? 200 : 206, { ...base, ...partial, 'content-length': end - start });
  if (request.method === 'HEAD') return void response.end();
  const count = (requests: number, bytes: number): void => {
    const before = state.counts.get(blob.digest) ?? { requests: 0, bytes: 0 };
    state.counts.set(blob.digest, { requests: before.requests + requests, bytes: before.bytes + bytes });
  };
  count(1, 0);
  response.flushHeaders();
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  for await (const chunk of blob.open(start, end)) {
    await sendChunk(state.pace, chunk, response, gone.signal, (bytes) => {
      count(0, bytes);
    });
  }
  response.end();
}

async function sendChunk(
  pace: Pace,
  chunk: Uint8Array,
  response: ServerResponse,
  signal: AbortSignal,
  onSent: (bytes: number) => void,
): Promise<void> {
  let at = 0;
  while (at < chunk.byteLength) {
    const piece = chunk.subarray(at, Math.min(chunk.byteLength, at + pace.grain()));
    await pace.take(piece.byteLength, signal);
    at += piece.byteLength;
    onSent(piece.byteLength);
    if (!response.write(piece)) await once(response, 'drain', { signal });
  }
}

function rangeOf(
  header: string | undefined,
  sizeBytes: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  if (header === undefined) return undefined;
  const { code, type, ranges } = parseRange(sizeBytes, header);
  if (type !== 'bytes' || code === 1 || ranges.length > 1) return undefined;
  const [range] = ranges;
  return range === undefined ? 'unsatisfiable' : { start: range.start, end: range.end + 1 };
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const body = JSON.stringify({ errors: [{ code, message: 'not here' }] });
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
}
