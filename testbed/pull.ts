import { createHash } from 'node:crypto';
import { PullError, fetchContent, openAnywhere } from './pull-fetch.ts';
import type { Descriptor } from './blob.ts';
import type { FetchOptions, HostName, PullHost } from './pull-fetch.ts';
import type { LayoutWriter } from './oci-layout.ts';

export interface PullOptions {
  /** `registry/repository:tag`, `registry/repository@sha256:...`, or both. */
  readonly reference: string;
  /** The node's mirror, `http://127.0.0.1:5000`. */
  readonly mirror: string;
  /** The registry that is asked where the mirror cannot help. @default none: what the mirror does not give fails */
  readonly upstream?: string;
  readonly signal: AbortSignal;
  /** Where the content goes, so that the node that pulled can serve it. @default nowhere: it is verified and dropped */
  readonly into?: LayoutWriter;
  /** Of an index, the manifest of this `os/architecture`. @default linux/amd64 */
  readonly platform?: string;
  /** @default 3, as containerd's max_concurrent_downloads */
  readonly layersAtOnceMax?: number;
  /** @default 5000; our hosts.toml says 200, which a busy test machine may miss */
  readonly dialTimeoutMs?: number;
  readonly onProgress?: (progress: PullProgress) => void;
}

export interface PullProgress {
  readonly digest: string;
  readonly host: HostName;
  /** Bytes of this step. */
  readonly bytes: number;
  readonly receivedBytes: number;
  readonly sizeBytes: number;
}

export interface PulledContent {
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly bytesByHost: Readonly<Record<HostName, number>>;
  readonly resumes: number;
  /** It was in the store already: nobody was asked. */
  readonly present: boolean;
  readonly durationMs: number;
}

export interface PullResult {
  readonly reference: string;
  readonly digest: string;
  readonly bytesByHost: Readonly<Record<HostName, number>>;
  readonly resumes: number;
  readonly durationMs: number;
  /** Manifests first, then what they describe. */
  readonly contents: readonly PulledContent[];
}

interface Session {
  readonly fetch: FetchOptions;
  readonly options: PullOptions;
  /** Ends what else is under way. */
  readonly abort: () => void;
}

/**
 * Pulls as containerd does in what a mirror can notice: the tag by HEAD, then everything by digest, mirror before upstream each time; config and layers
 * side by side; every digest checked; a FIN resumed at the offset, an RST the end of the pull. Rejects with a `PullError`, or with the signal's reason.
 */
export async function pull(options: PullOptions): Promise<PullResult> {
  const startMs = performance.now();
  const { registry, repository, tag, digest } = parseReference(options.reference);
  // One that fails ends the others, as the failed pull does.
  const ended = new AbortController();
  const session: Session = {
    options,
    abort: () => {
      ended.abort();
    },
    fetch: {
      hosts: hostsOf(options, registry),
      repository,
      signal: AbortSignal.any([options.signal, ended.signal]),
      dialTimeoutMs: options.dialTimeoutMs ?? 5000,
    },
  };
  try {
    const root = await resolve(session, digest ?? tag ?? '');
    const contents = await pullTree(session, root);
    if (tag !== undefined) await options.into?.name(`${registry}/${repository}:${tag}`, root);
    return {
      reference: options.reference,
      digest: root.digest,
      bytesByHost: {
        mirror: sum(contents.map((content) => content.bytesByHost.mirror)),
        upstream: sum(contents.map((content) => content.bytesByHost.upstream)),
      },
      resumes: sum(contents.map((content) => content.resumes)),
      durationMs: performance.now() - startMs,
      contents,
    };
  } finally {
    ended.abort();
  }
}

function hostsOf(options: PullOptions, registry: string): PullHost[] {
  const mirror: PullHost = { name: 'mirror', url: options.mirror, namespace: registry };
  const { upstream } = options;
  return upstream === undefined ? [mirror] : [mirror, { name: 'upstream', url: upstream, namespace: undefined }];
}

async function resolve(session: Session, reference: string): Promise<Descriptor> {
  const { host, answer } = await openAnywhere(session.fetch, `manifests/${reference}`, 0, 'HEAD');
  answer.close();
  const digest = answer.headers.get('docker-content-digest');
  const size = Number(answer.headers.get('content-length'));
  if (digest === undefined || !Number.isSafeInteger(size)) {
    throw new PullError('MANIFEST_INVALID', `${host} gave no digest or size for ${reference}`);
  }
  return { digest, size, mediaType: answer.headers.get('content-type') ?? '' };
}

interface Manifest {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

async function pullTree(session: Session, root: Descriptor): Promise<PulledContent[]> {
  const { pulled, manifest } = await pullManifest(session, root);
  if (manifest.manifests !== undefined) {
    const [os, architecture] = (session.options.platform ?? 'linux/amd64').split('/');
    const wanted = manifest.manifests.find(
      ({ platform }) => platform?.os === os && platform?.architecture === architecture,
    );
    if (wanted === undefined)
      throw new PullError('MANIFEST_INVALID', `${root.digest} has nothing for ${os}/${architecture}`);
    return [pulled, ...(await pullTree(session, wanted))];
  }
  const children = [manifest.config, ...(manifest.layers ?? [])].filter((child) => child !== undefined);
  const distinct = [...new Map(children.map((child) => [child.digest, child])).values()];
  return [pulled, ...(await pullBlobs(session, distinct))];
}

async function pullManifest(
  session: Session,
  descriptor: Descriptor,
): Promise<{ pulled: PulledContent; manifest: Manifest }> {
  const chunks: Uint8Array[] = [];
  const pulled = await pullContent(session, 'manifests', descriptor, (chunk) => {
    chunks.push(Uint8Array.from(chunk));
  });
  // What was pulled is what the digest names; a manifest of another shape fails below for want of its fields.
  const manifest = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Manifest;
  return { pulled, manifest };
}

async function pullBlobs(session: Session, descriptors: readonly Descriptor[]): Promise<PulledContent[]> {
  const pulled = new Map<Descriptor, PulledContent>();
  const queue = [...descriptors];
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        pulled.set(next, await pullContent(session, 'blobs', next, () => undefined));
      }
    } catch (error) {
      failures.push(error);
      session.abort();
    }
  };
  await Promise.all(Array.from({ length: session.options.layersAtOnceMax ?? 3 }, work));
  if (failures.length > 0) throw failures[0];
  return descriptors.map((descriptor) => pulled.get(descriptor)).filter((content) => content !== undefined);
}

async function pullContent(
  session: Session,
  kind: 'manifests' | 'blobs',
  descriptor: Descriptor,
  onChunk: (chunk: Uint8Array) => void,
): Promise<PulledContent> {
  const startMs = performance.now();
  const { digest, mediaType, size: sizeBytes } = descriptor;
  const { into, onProgress } = session.options;
  if (kind === 'blobs' && (await into?.has(digest, sizeBytes)) === true) {
    const bytesByHost = { mirror: 0, upstream: 0 };
    return { digest, mediaType, sizeBytes, bytesByHost, resumes: 0, present: true, durationMs: 0 };
  }
  const ingest = await into?.ingest(digest);
  const hash = createHash('sha256');
  let receivedBytes = 0;
  try {
    const fetched = await fetchContent(session.fetch, `${kind}/${digest}`, sizeBytes, async (chunk, host) => {
      hash.update(chunk);
      onChunk(chunk);
      receivedBytes += chunk.byteLength;
      await ingest?.write(chunk);
      onProgress?.({ digest, host, bytes: chunk.byteLength, receivedBytes, sizeBytes });
    });
    const found = `sha256:${hash.digest('hex')}`;
    if (found !== digest) throw new PullError('DIGEST_WRONG', `${digest} came as ${found} (${receivedBytes} bytes)`);
    await ingest?.commit();
    return { digest, mediaType, sizeBytes, ...fetched, present: false, durationMs: performance.now() - startMs };
  } finally {
    await ingest?.abandon();
  }
}

/** `registry/repository` with a tag, a digest, or both: then the digest decides what is pulled, and the tag what it is called. */
function parseReference(text: string): {
  registry: string;
  repository: string;
  tag: string | undefined;
  digest: string | undefined;
} {
  const pattern =
    /^(?<registry>[^/]+)\/(?<repository>[^@:]+)(?::(?<tag>[^:/@]+))?(?:@(?<digest>sha256:[a-f0-9]{64}))?$/;
  const { registry, repository, tag, digest } = pattern.exec(text)?.groups ?? {};
  if (registry === undefined || repository === undefined || (tag === undefined && digest === undefined)) {
    throw new TypeError(
      `"${text}" is not a full reference: give registry/repository:tag, registry/repository@sha256:... or both`,
    );
  }
  return { registry, repository, tag, digest };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
