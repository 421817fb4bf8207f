import { mkdir, mkdtemp, open, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { Metadata, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { isDigest } from '../../../core/index.ts';
import type { Descriptor } from '../../oci-layout/image-index.ts';

/**
 * What a containerd does, as far as the store asks: namespaces over one directory of blobs, a file before its metadata, events for images alone (for
 * content too from 2.1 on), an event stream that ends with the process, and metadata that survives it.
 */
export interface FakeContainerd {
  readonly socket: string;
  readonly contentPath: string;
  start(): Promise<void>;
  /** As a killed process: the socket and every stream are gone, metadata and files stay. */
  stop(): Promise<void>;
  /** Ends the streams of events, and nothing else. */
  cutEvents(): void;
  addBlob(content: Uint8Array | string, options?: BlobOptions): Promise<Descriptor>;
  addImage(name: string, layers: readonly (Uint8Array | string)[], namespace?: string): Promise<FakeImage>;
  setImage(name: string, target: Descriptor, namespace?: string): void;
  removeImage(name: string, namespace?: string): void;
  /** Metadata first, then the file, unless another namespace has it. */
  removeBlob(digest: string, namespace?: string): Promise<void>;
  setLabels(digest: string, labels: Record<string, string>, namespace?: string): void;
  file(digest: string): string;
  /** How often each method, `Content.List`, was called. */
  readonly calls: Map<string, number>;
  /** Calls of these methods get no answer. */
  readonly hung: Set<string>;
  /** Calls of these methods fail. */
  readonly broken: Set<string>;
  /** What the list of images waits for, once it has been made. */
  imagesAfter: Promise<unknown>;
  /** What the version service says. */
  version: string;
  /** Whether events of content are sent. */
  hasContentEvents: boolean;
  /** Whether events of images are sent: a false one is a gap. */
  hasImageEvents: boolean;
  /** What introspection says of the content's directory; undefined: nothing. */
  exportedRoot: string | undefined;
  /** Where `Read` finds the bytes of a digest. */
  readsFrom: (digest: string) => string;
  remove(): Promise<void>;
}

export interface BlobOptions {
  readonly mediaType?: string;
  readonly namespace?: string;
}

export interface FakeImage {
  readonly root: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};

interface Namespace {
  readonly contents: Map<string, { readonly size: number; labels: Record<string, string> }>;
  readonly images: Map<string, { readonly target: Descriptor; readonly updatedAtMs: number }>;
}

type Unary = (call: ServerUnaryCall<Fields, object>, answer: sendUnaryData<object>) => void;
type Stream = (call: ServerWritableStream<Fields, object>) => void;
interface Fields {
  readonly digest: string;
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

const protos = join(import.meta.dirname, '..', 'protos');

export async function createFakeContainerd(): Promise<FakeContainerd> {
  const directory = await mkdtemp(join(tmpdir(), 'peili-containerd-'));
  const fake = new Fake(directory);
  await mkdir(join(fake.contentPath, 'blobs', 'sha256'), { recursive: true });
  await mkdir(join(fake.contentPath, 'ingest'), { recursive: true });
  await fake.start();
  return fake;
}

class Fake implements FakeContainerd {
  readonly socket: string;
  readonly contentPath: string;
  readonly calls = new Map<string, number>();
  readonly hung = new Set<string>();
  readonly broken = new Set<string>();
  imagesAfter: Promise<unknown> = Promise.resolve();
  version = '2.1.9';
  hasContentEvents = false;
  hasImageEvents = true;
  exportedRoot: string | undefined;
  readonly #directory: string;
  readonly #namespaces = new Map<string, Namespace>();
  readonly #subscribers = new Set<ServerWritableStream<Fields, object>>();
  #server: Server | undefined;
  #files = 0;

  constructor(directory: string) {
    this.#directory = directory;
    this.socket = join(directory, 'containerd.sock');
    this.contentPath = join(directory, 'content');
    this.exportedRoot = this.contentPath;
  }

  async start(): Promise<void> {
    const server = new Server({ 'grpc.max_send_message_length': 16 * 1024 * 1024 });
    const files = ['content', 'events', 'images', 'introspection', 'version'].map((name) =>
      join(protos, `${name}.proto`),
    );
    const services = loadSync(files, { longs: Number, defaults: true });
    const handlers: Record<string, Record<string, Unary | Stream>> = {
      'containerd.services.version.v1.Version': { Version: (_call, answer) => answer(null, { version: this.version }) },
      'containerd.services.introspection.v1.Introspection': { Plugins: this.#plugins },
      'containerd.services.images.v1.Images': { Get: this.#getImage, List: this.#listImages },
      'containerd.services.content.v1.Content': { Info: this.#info, List: this.#list, Read: this.#read },
      'containerd.services.events.v1.Events': { Subscribe: this.#subscribe },
    };
    for (const [name, methods] of Object.entries(handlers)) {
      const service = name.slice(name.lastIndexOf('.') + 1);
      const counted = Object.entries(methods).map(([method, handler]) => [
        method,
        this.#counted(`${service}.${method}`, handler),
      ]);
      server.addService(services[name] as Parameters<Server['addService']>[0], Object.fromEntries(counted) as never);
    }
    await rm(this.socket, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${this.socket}`, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    this.#server = server;
  }

  async stop(): Promise<void> {
    this.#server?.forceShutdown();
    this.#server = undefined;
    this.#subscribers.clear();
    await rm(this.socket, { force: true });
  }

  cutEvents(): void {
    for (const call of this.#subscribers) call.end();
    this.#subscribers.clear();
  }

  async addBlob(content: Uint8Array | string, options: BlobOptions = {}): Promise<Descriptor> {
    const { mediaType, namespace = 'k8s.io' } = options;
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await this.#commit(digest, bytes);
    const { contents } = this.#of(namespace);
    // What is there already keeps its labels.
    const labels = contents.get(digest)?.labels ?? {};
    contents.set(digest, { size: bytes.byteLength, labels });
    if (this.hasContentEvents) this.#tell(namespace, '/content/create', digest);
    return { digest, size: bytes.byteLength, ...(mediaType === undefined ? {} : { mediaType }) };
  }

  async addImage(name: string, contents: readonly (Uint8Array | string)[], namespace?: string): Promise<FakeImage> {
    const of = namespace === undefined ? {} : { namespace };
    const layers = await Promise.all(contents.map((bytes) => this.addBlob(bytes, { mediaType: types.layer, ...of })));
    const text = JSON.stringify({ rootfs: { diff_ids: layers.map(({ digest }) => digest) } });
    const config = await this.addBlob(text, { mediaType: types.config, ...of });
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, config, layers });
    const root = await this.addBlob(manifest, { mediaType: types.manifest, ...of });
    this.setImage(name, root, namespace);
    return { root, config, layers };
  }

  setImage(name: string, target: Descriptor, namespace = 'k8s.io'): void {
    const { images } = this.#of(namespace);
    const topic = images.has(name) ? '/images/update' : '/images/create';
    images.set(name, { target, updatedAtMs: Date.now() });
    this.#tell(namespace, topic, name);
  }

  removeImage(name: string, namespace = 'k8s.io'): void {
    if (this.#of(namespace).images.delete(name)) this.#tell(namespace, '/images/delete', name);
  }

  async removeBlob(digest: string, namespace = 'k8s.io'): Promise<void> {
    this.#of(namespace).contents.delete(digest);
    const isShared = [...this.#namespaces.values()].some(({ contents }) => contents.has(digest));
    if (!isShared) await unlink(this.file(digest)).catch(() => undefined);
  }

  setLabels(digest: string, labels: Record<string, string>, namespace = 'k8s.io'): void {
    const content = this.#of(namespace).contents.get(digest);
    if (content !== undefined) content.labels = labels;
  }

  file(digest: string): string {
    return join(this.contentPath, 'blobs', ...digest.split(':'));
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Content that any namespace has is there already: no file comes. */
  async #commit(digest: string, bytes: Uint8Array): Promise<void> {
    if ([...this.#namespaces.values()].some(({ contents }) => contents.has(digest))) return;
    const ingest = join(this.contentPath, 'ingest', String((this.#files += 1)));
    await writeFile(ingest, bytes);
    await rename(ingest, this.file(digest));
    // The metadata is committed a moment after the file has its name.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }

  #of(namespace: string): Namespace {
    const known = this.#namespaces.get(namespace) ?? { contents: new Map(), images: new Map() };
    this.#namespaces.set(namespace, known);
    return known;
  }

  #in(metadata: Metadata): Namespace {
    return this.#of(String(metadata.get('containerd-namespace')[0]));
  }

  #tell(namespace: string, topic: string, id: string): void {
    if (topic.startsWith('/images/') && !this.hasImageEvents) return;
    for (const call of this.#subscribers) call.write({ namespace, topic, event: { typeUrl: 'x', value: { id } } });
  }

  #counted(method: string, handler: Unary | Stream): Unary {
    return (call, answer) => {
      this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
      if (this.hung.has(method)) return;
      if (!this.broken.has(method)) (handler as Unary)(call, answer);
      // Only unary methods are given a way to answer.
      else if (answer !== undefined) answer({ code: status.INTERNAL, details: 'broken' });
      else call.emit('error', { code: status.INTERNAL, details: 'broken' });
    };
  }

  readonly #plugins: Unary = (_call, answer) => {
    const exports = this.exportedRoot === undefined ? {} : { root: this.exportedRoot };
    answer(null, { plugins: [{ type: 'io.containerd.content.v1', id: 'content', exports }] });
  };

  readonly #getImage: Unary = ({ metadata, request }, answer) => {
    const image = this.#in(metadata).images.get(request.name);
    if (image === undefined) answer({ code: status.NOT_FOUND, details: `image ${request.name}: not found` });
    else answer(null, { image: imageOf(request.name, image) });
  };

  readonly #listImages: Unary = ({ metadata }, answer) => {
    const images = [...this.#in(metadata).images].map(([name, image]) => imageOf(name, image));
    void this.imagesAfter.then(() => {
      answer(null, { images });
    });
  };

  readonly #info: Unary = ({ metadata, request: { digest } }, answer) => {
    const content = this.#in(metadata).contents.get(digest);
    if (!isDigest(digest)) answer({ code: status.INVALID_ARGUMENT, details: `${digest} failed validation` });
    else if (content === undefined) answer({ code: status.NOT_FOUND, details: `content ${digest}: not found` });
    else answer(null, { info: { digest, ...content } });
  };

  readonly #list: Stream = (call) => {
    const info = [...this.#in(call.metadata).contents].map(([digest, content]) => ({ digest, ...content }));
    for (let from = 0; from < info.length; from += 100) call.write({ info: info.slice(from, from + 100) });
    call.end();
  };

  readonly #read: Stream = (call) => {
    const { digest, offset, size } = call.request;
    const send = async (): Promise<void> => {
      if (!this.#in(call.metadata).contents.has(digest))
        throw Object.assign(new Error('not found'), { code: status.NOT_FOUND });
      const handle = await open(this.readsFrom(digest));
      try {
        const bytes = new Uint8Array(size);
        const { bytesRead } = await handle.read(bytes, 0, size, offset);
        const piece = 32 * 1024;
        for (let from = 0; from < bytesRead; from += piece) {
          call.write({ offset: from, data: bytes.subarray(from, Math.min(from + piece, bytesRead)) });
        }
      } finally {
        await handle.close();
      }
    };
    send().then(
      () => call.end(),
      (error: unknown) => call.emit('error', { code: status.UNKNOWN, details: String(error), ...(error as object) }),
    );
  };

  readsFrom = (digest: string): string => this.file(digest);

  readonly #subscribe: Stream = (call) => {
    this.#subscribers.add(call);
    call.on('cancelled', () => this.#subscribers.delete(call));
  };
}

function imageOf(name: string, { target, updatedAtMs }: { target: Descriptor; updatedAtMs: number }): object {
  const updatedAt = { seconds: Math.floor(updatedAtMs / 1000), nanos: (updatedAtMs % 1000) * 1e6 };
  return { name, target, updatedAt };
}
