import { CutError, exchange } from './http-exchange.ts';
import type { Answer } from './http-exchange.ts';

export type HostName = 'mirror' | 'upstream';

/** A host of hosts.toml, in its order. */
export interface PullHost {
  readonly name: HostName;
  readonly url: string;
  /** The `ns` that containerd adds for a mirror: which registry is meant. */
  readonly namespace: string | undefined;
}

export type PullErrorCode = 'NOT_FOUND' | 'RESET' | 'NO_PROGRESS' | 'RANGE_WRONG' | 'DIGEST_WRONG' | 'MANIFEST_INVALID';

export class PullError extends Error {
  readonly code: PullErrorCode;

  constructor(code: PullErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'PullError';
    this.code = code;
  }
}

export interface FetchOptions {
  readonly hosts: readonly PullHost[];
  readonly repository: string;
  readonly signal: AbortSignal;
  readonly dialTimeoutMs: number;
}

export interface FetchResult {
  readonly bytesByHost: Readonly<Record<HostName, number>>;
  readonly resumes: number;
}

/** Resumes without a byte between them that containerd allows (`httpreadseeker.go`, maxRetry). */
const resumesWithoutProgressMax = 3;

/**
 * The bytes of one manifest or blob, as containerd gets them: hosts in order until one answers; after a FIN again from the first host with a Range at
 * the offset reached; after an RST no more.
 */
export async function fetchContent(
  options: FetchOptions,
  path: string,
  sizeBytes: number,
  onBytes: (chunk: Uint8Array, host: HostName) => Promise<void>,
): Promise<FetchResult> {
  const bytesByHost = { mirror: 0, upstream: 0 };
  let offset = 0;
  let resumes = 0;
  let withoutProgress = 0;
  for (;;) {
    const { host, answer } = await openAnywhere(options, path, offset);
    const before = offset;
    try {
      for await (const chunk of answer.body) {
        offset += chunk.byteLength;
        bytesByHost[host] += chunk.byteLength;
        if (offset > sizeBytes)
          throw new PullError('RANGE_WRONG', `${host} sent more than the ${sizeBytes} bytes of ${path}`);
        await onBytes(chunk, host);
      }
      return { bytesByHost, resumes };
    } catch (error) {
      if (!(error instanceof CutError)) throw error;
      if (error.kind === 'rst') throw new PullError('RESET', `${host} reset ${path} at byte ${offset}`, error);
      withoutProgress = offset > before ? 0 : withoutProgress + 1;
      if (withoutProgress > resumesWithoutProgressMax) {
        throw new PullError(
          'NO_PROGRESS',
          `${path} ended at byte ${offset} again and again, the last time from ${host}`,
          error,
        );
      }
      // The promised bytes were all there when the FIN came: nothing is left to ask for.
      if (offset === sizeBytes) return { bytesByHost, resumes };
      resumes += 1;
    }
  }
}

/** Asks host after host for `path` from `offset` on. Any failure moves on to the next. */
export async function openAnywhere(
  options: FetchOptions,
  path: string,
  offset: number,
  method: 'GET' | 'HEAD' = 'GET',
): Promise<{ host: HostName; answer: Answer }> {
  const failures: string[] = [];
  for (const host of options.hosts) {
    try {
      return { host: host.name, answer: await openAt(options, host, path, offset, method) };
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof PullError) throw error;
      failures.push(`${host.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new PullError('NOT_FOUND', `no host gave ${path} from byte ${offset} on (${failures.join('; ')})`);
}

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  '*/*',
].join(', ');

async function openAt(
  options: FetchOptions,
  host: PullHost,
  path: string,
  offset: number,
  method: 'GET' | 'HEAD',
): Promise<Answer> {
  const { signal, dialTimeoutMs, repository } = options;
  const url = new URL(`/v2/${repository}/${path}`, host.url);
  if (host.namespace !== undefined) url.searchParams.set('ns', host.namespace);
  const range = offset > 0 ? { range: `bytes=${offset}-` } : {};
  const headers = { accept: manifestTypes, 'accept-encoding': 'identity', ...range };
  const answer = await exchange({ url, method, headers, signal, dialTimeoutMs });
  if (answer.status !== 200 && answer.status !== 206) {
    answer.close();
    throw new Error(`status ${answer.status}`);
  }
  const contentRange = answer.headers.get('content-range') ?? '';
  if (offset > 0 && (answer.status !== 206 || !contentRange.startsWith(`bytes ${offset}-`))) {
    answer.close();
    throw new PullError(
      'RANGE_WRONG',
      `${host.name} answered ${answer.status} "${contentRange}" to a range from byte ${offset} of ${path}`,
    );
  }
  return answer;
}
