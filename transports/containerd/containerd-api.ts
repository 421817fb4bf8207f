import { array, custom, nullable, number, object, pipe, record, string, transform } from 'valibot';
import { PeiliError, withDeadline } from '../../core/index.ts';
import type { Clock, Limits } from '../../core/index.ts';
import { createRpcClient, unlessNotFound } from './rpc-client.ts';
import { methodOf } from './rpc-method.ts';

/** What is asked of containerd about one namespace. Calls reject with `CONTAINERD_UNREACHABLE`, `CONTAINERD_FAILED`, or the signal's reason. */
export interface ContainerdApi {
  /** containerd's version, `2.1.9`. */
  version(signal: AbortSignal): Promise<string>;
  /** The directory that has `blobs/`, as containerd itself sees it; undefined if it does not say. */
  contentPath(signal: AbortSignal): Promise<string | undefined>;
  images(signal: AbortSignal): Promise<readonly ImageRecord[]>;
  /** Undefined if there is no such image. */
  image(name: string, signal: AbortSignal): Promise<ImageRecord | undefined>;
  /** All content of the namespace; rejects when the list is not complete. */
  contents(signal: AbortSignal): Promise<readonly ContentRecord[]>;
  /** Undefined if the namespace has no such content. */
  content(digest: string, signal: AbortSignal): Promise<ContentRecord | undefined>;
  /** Fills `target` from the content at `offset`. Resolves with the bytes written: fewer only where the content ends. */
  read(digest: string, offset: number, target: Uint8Array, signal: AbortSignal): Promise<number>;
  /** Tells what happens from now on; settles when the stream ends, which it does when containerd restarts. */
  subscribe(onEvent: (event: ContainerdEvent) => void, signal: AbortSignal): Promise<void>;
  /** Ends the connection and all calls. Idempotent. */
  close(): void;
  /** Calls under way, subscriptions included. */
  pending(): number;
}

export interface ImageRecord {
  readonly name: string;
  readonly target: { readonly digest: string; readonly mediaType: string | undefined };
  /** Wall microseconds. */
  readonly updatedAtUs: number;
}

export interface ContentRecord {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ContainerdEvent {
  readonly subject: 'image' | 'content';
  /** The image's name, or the content's digest. */
  readonly id: string;
  /** The name was taken away: by now it may have been given again. */
  readonly isRemoval: boolean;
}

export interface ContainerdApiOptions {
  readonly socket: string;
  readonly namespace: string;
  readonly limits: Pick<Limits, 'containerdCallTimeoutUs' | 'containerdListTimeoutUs'>;
}

const imageSchema = pipe(
  object({
    name: string(),
    target: nullable(object({ digest: string(), mediaType: string() })),
    updatedAt: nullable(object({ seconds: number(), nanos: number() })),
  }),
  transform(({ name, target, updatedAt }): ImageRecord => {
    const { digest = '', mediaType = '' } = target ?? {};
    const { seconds = 0, nanos = 0 } = updatedAt ?? {};
    return {
      name,
      target: { digest, mediaType: mediaType === '' ? undefined : mediaType },
      updatedAtUs: seconds * 1e6 + Math.floor(nanos / 1000),
    };
  }),
);
const contentSchema = pipe(
  object({ digest: string(), size: number(), labels: record(string(), string()) }),
  transform(({ digest, size, labels }): ContentRecord => ({ digest, sizeBytes: size, labels })),
);
const bytesSchema = custom<Uint8Array>((value) => value instanceof Uint8Array);
const pluginSchema = object({ type: string(), id: string(), exports: record(string(), string()) });
const eventSchema = object({
  namespace: string(),
  topic: string(),
  event: nullable(object({ value: nullable(object({ id: string() })) })),
});

const images = 'containerd.services.images.v1.Images';
const content = 'containerd.services.content.v1.Content';
const methods = {
  version: methodOf('containerd.services.version.v1.Version', 'Version', object({ version: string() })),
  plugins: methodOf(
    'containerd.services.introspection.v1.Introspection',
    'Plugins',
    object({ plugins: array(pluginSchema) }),
  ),
  getImage: methodOf(images, 'Get', object({ image: imageSchema })),
  listImages: methodOf(images, 'List', object({ images: array(imageSchema) })),
  contentInfo: methodOf(content, 'Info', object({ info: contentSchema })),
  listContent: methodOf(content, 'List', object({ info: array(contentSchema) })),
  readContent: methodOf(content, 'Read', object({ data: bytesSchema })),
  subscribe: methodOf('containerd.services.events.v1.Events', 'Subscribe', eventSchema),
};

export function createContainerdApi(deps: { readonly clock: Clock }, options: ContainerdApiOptions): ContainerdApi {
  const { socket, namespace, limits } = options;
  const rpc = createRpcClient({ socket, headers: { 'containerd-namespace': namespace } });
  const inTime = <T>(
    signal: AbortSignal,
    call: (signal: AbortSignal) => Promise<T>,
    timeoutUs = limits.containerdCallTimeoutUs,
  ): Promise<T> => {
    const late = (): PeiliError =>
      new PeiliError('CONTAINERD_UNREACHABLE', `containerd at ${socket} does not answer in time: look at its load`, {
        socket,
      });
    return withDeadline(deps.clock, timeoutUs, signal, late, call);
  };
  const listContents = async (signal: AbortSignal): Promise<readonly ContentRecord[]> => {
    const records: ContentRecord[] = [];
    await rpc.stream(methods.listContent, {}, ({ info }) => records.push(...info), signal);
    return records;
  };

  return {
    version: async (signal) => (await inTime(signal, (inner) => rpc.unary(methods.version, {}, inner))).version,
    contentPath: async (signal) => {
      const request = { filters: ['type==io.containerd.content.v1,id==content'] };
      const { plugins } = await inTime(signal, (inner) => rpc.unary(methods.plugins, request, inner));
      return plugins.find(({ id }) => id === 'content')?.exports['root'];
    },
    images: async (signal) => (await inTime(signal, (inner) => rpc.unary(methods.listImages, {}, inner))).images,
    image: async (name, signal) => {
      const answer = inTime(signal, (inner) => rpc.unary(methods.getImage, { name }, inner));
      return (await unlessNotFound(answer))?.image;
    },
    contents: (signal) => inTime(signal, listContents, limits.containerdListTimeoutUs),
    content: async (digest, signal) => {
      const answer = inTime(signal, (inner) => rpc.unary(methods.contentInfo, { digest }, inner));
      return (await unlessNotFound(answer))?.info;
    },
    read: async (digest, offset, target, signal) => {
      let written = 0;
      const request = { digest, offset, size: target.byteLength };
      // The offsets in the answers count from the request's: what comes is what comes next.
      const take = ({ data }: { readonly data: Uint8Array }): void => {
        const taken = data.subarray(0, target.byteLength - written);
        target.set(taken, written);
        written += taken.byteLength;
      };
      await inTime(signal, (inner) => rpc.stream(methods.readContent, request, take, inner));
      return written;
    },
    subscribe: (onEvent, signal) => {
      const of = `namespace==${JSON.stringify(namespace)}`;
      const filters = [`${of},topic~="^/images/"`, `${of},topic=="/content/create"`];
      return rpc.stream(
        methods.subscribe,
        { filters },
        ({ namespace: from, topic, event }) => {
          const id = event?.value?.id;
          if (from !== namespace || id === undefined || id === '') return;
          const subject = topic.startsWith('/images/') ? 'image' : 'content';
          onEvent({ subject, id, isRemoval: topic === '/images/delete' });
        },
        signal,
      );
    },
    close: rpc.close,
    pending: rpc.pending,
  };
}
