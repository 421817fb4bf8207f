import * as v from 'valibot';
import { isRegistry, nameOf, parseReference, PeiliError, pullIdHeader } from '../../core/index.ts';
import type { Reference } from '../../core/index.ts';
import type { ImageFact, ImageObject } from './facts.ts';
import type { MirrorClient } from './mirror-client.ts';
import { reading } from './reading.ts';
import { sourcesOf } from './pull-sources.ts';

/** What a node asks the upstream's mirrors for, as containerd does. */
const manifestTypes = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
].join(', ');
/** No registry has to take more (distribution-spec, "Pushing Manifests"). */
const manifestMaxBytes = 4 * 1024 * 1024;
const layersMax = 1000;

const descriptor = v.object({ digest: v.string() });
const manifestSchema = v.object({ config: descriptor, layers: v.pipe(v.array(descriptor), v.maxLength(layersMax)) });
const indexSchema = v.object({
  manifests: v.array(
    v.object({
      digest: v.string(),
      platform: v.optional(v.object({ os: v.optional(v.string()), architecture: v.optional(v.string()) })),
    }),
  ),
});
const errorSchema = v.object({ errors: v.tuple([v.object({ detail: v.object({ reason: v.string() }) })]) });
/** One object as it came, and its bytes where they are read further. */
interface Received {
  readonly object: Omit<ImageObject, 'sources'>;
  readonly pullId: number | undefined;
  readonly content: Uint8Array | undefined;
}

/** `busybox`, `ghcr.io/app:1.0`, `app@sha256:...` as the kubelet reads them. Throws `OPTION_INVALID`. */
export function parseImageName(text: string): Reference {
  const [first = '', ...rest] = text.split('/');
  const isQualified = rest.length > 0 && isRegistry(first) && (/[.:]/.test(first) || first === 'localhost');
  const name = isQualified ? text : `docker.io/${rest.length === 0 ? 'library/' : ''}${text}`;
  const reference = parseReference(name);
  if (reference === undefined) {
    throw new PeiliError('OPTION_INVALID', 'give an image as a pod names it, such as docker.io/library/busybox:1.37');
  }
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}

/** Pulls an image from the own mirror, object by object, and discards it: what containerd would get, without touching containerd. */
export async function pullImage(
  client: MirrorClient,
  reference: Reference,
  architecture: string,
  signal: AbortSignal,
): Promise<ImageFact> {
  const { digest, registry, repository, tag = 'latest' } = reference;
  const received: Received[] = [];
  const ask = async (kind: ImageObject['kind'], place: string): Promise<Uint8Array | undefined> => {
    const path = `/v2/${repository}/${place}?ns=${encodeURIComponent(registry)}`;
    const one = await receive(client, kind, path, signal);
    received.push(one);
    return one.content;
  };

  let bytes = await ask('manifest', `manifests/${digest ?? tag}`);
  const children = bytes === undefined ? undefined : parse(indexSchema, bytes)?.manifests;
  const child = children?.find(({ platform }) => platform?.os === 'linux' && platform.architecture === architecture);
  if (child !== undefined) bytes = await ask('manifest', `manifests/${child.digest}`);
  const manifest = bytes === undefined ? undefined : parse(manifestSchema, bytes);
  const blobs = manifest === undefined ? [] : [manifest.config, ...manifest.layers];
  for (const [at, blob] of blobs.entries()) await ask(at === 0 ? 'config' : 'layer', `blobs/${blob.digest}`);

  const sources = await sourcesOf(
    client,
    received.flatMap(({ pullId }) => pullId ?? []),
    signal,
  );
  const name = nameOf({ registry, repository, tag: reference.tag });
  return {
    reference: digest === undefined ? name : `${name}@${digest}`,
    objects: received.map(({ object, pullId }, at) => ({
      ...object,
      ...(at > 0 || children === undefined ? {} : { kind: 'index' }),
      ...(at > 0 || children === undefined || child !== undefined
        ? {}
        : { failure: `it has nothing for linux/${architecture}` }),
      sources: pullId === undefined ? undefined : sources.get(pullId),
    })),
  };
}

async function receive(
  client: MirrorClient,
  kind: ImageObject['kind'],
  path: string,
  signal: AbortSignal,
): Promise<Received> {
  const startedMs = performance.now();
  const accept = kind === 'manifest' ? manifestTypes : '*/*';
  const state = { bytes: 0 };
  const answer = await reading(signal, () => client.registry(path, { accept }, signal));
  const asked = /[^/]*$/.exec(path.replace(/\?.*/, ''))?.[0] ?? '';
  const object = { kind, digest: asked, status: 0, bytes: 0, tookMs: 0 };
  if (answer.type === 'failed') {
    const tookMs = performance.now() - startedMs;
    return { object: { ...object, tookMs, failure: answer.reason }, pullId: undefined, content: undefined };
  }
  const { headers, status } = answer.value;
  const content = await reading(signal, () => readBody(answer.value, kind === 'manifest', state));
  const pullId = headers.get(pullIdHeader);
  const bytes = content.type === 'read' ? content.value : undefined;
  return {
    object: {
      kind,
      digest: headers.get('docker-content-digest') ?? asked,
      status,
      bytes: status === 200 ? state.bytes : 0,
      tookMs: performance.now() - startedMs,
      failure: content.type === 'failed' ? content.reason : status === 200 ? undefined : reasonIn(bytes, status),
    },
    pullId: pullId === null ? undefined : Number(pullId),
    content: status === 200 ? bytes : undefined,
  };
}

/** Reads to the end. Errors and manifests are kept, blobs are discarded as they come. */
async function readBody(answer: Response, keeps: boolean, state: { bytes: number }): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const body: AsyncIterable<Uint8Array> | null = answer.body;
  if (body === null) return new Uint8Array();
  for await (const part of body) {
    state.bytes += part.byteLength;
    if (!keeps && answer.status === 200) continue;
    if (state.bytes > manifestMaxBytes)
      throw new PeiliError('MANIFEST_TOO_LARGE', 'more bytes than a manifest may have');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function reasonIn(bytes: Uint8Array | undefined, status: number): string {
  const said = bytes === undefined ? undefined : parse(errorSchema, bytes);
  return said?.errors[0].detail.reason ?? `status ${status}`;
}

function parse<T>(schema: v.GenericSchema<unknown, T>, bytes: Uint8Array): T | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(Buffer.from(bytes).toString()));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
