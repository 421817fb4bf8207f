import { PeiliError, throwIfAborted } from '../../core/index.ts';
import type { Clock, ContentInfo, ContentStore, Digester, StoreChange, TagEntry } from '../../core/index.ts';
import { createMemoryBody } from './memory-body.ts';

export interface MemoryStoreDeps {
  readonly clock: Clock;
  readonly digester: Digester;
}

export interface MemoryStoreOptions {
  /** Bytes in one chunk of a body. @default 65,536 */
  readonly chunkBytes?: number;
}

/** A content store in memory that is changed by calls. */
export interface MemoryStore extends ContentStore {
  /** Adds content without a name, or with more names and a type if it is there. */
  putContent(
    bytes: Uint8Array,
    about?: { readonly mediaType?: string; readonly names?: readonly string[] },
  ): ContentInfo;
  /** Adds a manifest, an empty config and layers under `registry/repository:tag`, and points the tag at the manifest. */
  putImage(reference: string, layers: readonly Uint8Array[]): MemoryImage;
  putTag(reference: string, digest: string): void;
  removeContent(digest: string): void;
  removeTag(reference: string): void;
  /** Replaces the bytes behind a digest, as a disk that fails would. */
  damage(digest: string, bytes: Uint8Array): void;
  /** Bodies that are open. */
  pending(): number;
}

export interface MemoryImage {
  readonly manifest: ContentInfo;
  readonly config: ContentInfo;
  readonly layers: readonly ContentInfo[];
}

interface Entry {
  readonly info: ContentInfo;
  readonly bytes: Uint8Array;
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const configType = 'application/vnd.oci.image.config.v1+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar';

interface Shelf {
  readonly entries: Map<string, Entry>;
  readonly tags: Map<string, TagEntry>;
  tell(change: StoreChange): void;
}

export function createMemoryStore(deps: MemoryStoreDeps, options: MemoryStoreOptions = {}): MemoryStore {
  const listeners = new Set<(change: StoreChange) => void>();
  const shelf: Shelf = {
    entries: new Map(),
    tags: new Map(),
    tell: (change) => {
      for (const listener of listeners) listener(change);
    },
  };
  const watch: ContentStore['watch'] = (listener) => {
    const own = (change: StoreChange): void => {
      listener(change);
    };
    listeners.add(own);
    return () => void listeners.delete(own);
  };
  return { kind: 'memory', watch, ...createReads(shelf, options), ...createWrites(shelf, deps) };
}

type Reads = Pick<MemoryStore, 'resolve' | 'info' | 'open' | 'list' | 'pending'>;

function createReads({ entries, tags }: Shelf, { chunkBytes = 65_536 }: MemoryStoreOptions): Reads {
  const state = { pending: 0 };
  const onEnded = (): void => {
    state.pending -= 1;
  };
  return {
    resolve: async (reference, signal) => {
      throwIfAborted(signal);
      const tag = tags.get(reference);
      return tag !== undefined && entries.has(tag.digest) ? tag : undefined;
    },
    info: async (digest, signal) => {
      throwIfAborted(signal);
      return entries.get(digest)?.info;
    },
    open: async (digest, start, end, signal) => {
      throwIfAborted(signal);
      if (!entries.has(digest)) throw new PeiliError('CONTENT_ABSENT', 'the store has no such content', { digest });
      state.pending += 1;
      const current = (): Uint8Array | undefined => entries.get(digest)?.bytes;
      return createMemoryBody({ current, start, end, chunkBytes, signal, onEnded });
    },
    list: async (signal) => {
      throwIfAborted(signal);
      const present = [...tags.values()].filter(({ digest }) => entries.has(digest));
      return { contents: [...entries.values()].map((entry) => entry.info), tags: present };
    },
    pending: () => state.pending,
  };
}

type Writes = Omit<MemoryStore, keyof ContentStore | 'pending'>;

function createWrites({ entries, tags, tell }: Shelf, { clock, digester }: MemoryStoreDeps): Writes {
  const putContent: Writes['putContent'] = (bytes, about = {}) => {
    const digest = `sha256:${hexOf(digester.hash('sha256', bytes))}`;
    const known = entries.get(digest);
    const mediaType = about.mediaType ?? known?.info.mediaType;
    const names = [...new Set([...(known?.info.names ?? []), ...(about.names ?? [])])].toSorted();
    const info = { digest, sizeBytes: bytes.byteLength, names, ...(mediaType === undefined ? {} : { mediaType }) };
    entries.set(digest, { info, bytes: known?.bytes ?? Uint8Array.from(bytes) });
    tell({ type: 'content-added', content: info });
    return info;
  };
  const putTag = (reference: string, digest: string): void => {
    const tag = { reference, digest, resolvedAtUs: clock.wallUs() };
    tags.set(reference, tag);
    tell({ type: 'tag-set', tag });
  };
  return {
    putContent,
    putTag,
    putImage: (reference, contents) => {
      const names = [reference];
      const layers = contents.map((bytes) => putContent(bytes, { mediaType: layerType, names }));
      const config = putContent(textBytes('{}'), { mediaType: configType, names });
      const manifest = putContent(textBytes(manifestText(config, layers)), { mediaType: manifestType, names });
      putTag(reference, manifest.digest);
      return { manifest, config, layers };
    },
    removeContent: (digest) => {
      if (entries.delete(digest)) tell({ type: 'content-removed', digest });
    },
    removeTag: (reference) => {
      if (tags.delete(reference)) tell({ type: 'tag-removed', reference });
    },
    damage: (digest, bytes) => {
      const entry = entries.get(digest);
      if (entry !== undefined) entries.set(digest, { ...entry, bytes });
    },
  };
}

function manifestText(config: ContentInfo, layers: readonly ContentInfo[]): string {
  const descriptor = ({ digest, sizeBytes, mediaType }: ContentInfo) => ({ mediaType, digest, size: sizeBytes });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor(config),
    layers: layers.map(descriptor),
  });
}

function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
