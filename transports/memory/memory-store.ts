import { PeiliError, throwIfAborted } from '../../core/index.ts';
import type {
  Clock,
  ContentInfo,
  ContentStore,
  Digester,
  StoreChange,
  StoreListing,
  TagEntry,
} from '../../core/index.ts';
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

export function createMemoryStore({ clock, digester }: MemoryStoreDeps, options: MemoryStoreOptions = {}): MemoryStore {
  const { chunkBytes = 65_536 } = options;
  const entries = new Map<string, Entry>();
  const tags = new Map<string, TagEntry>();
  const listeners = new Set<(change: StoreChange) => void>();
  const state = { pending: 0 };
  const tell = (change: StoreChange): void => {
    for (const listener of listeners) listener(change);
  };

  const putContent: MemoryStore['putContent'] = (bytes, about = {}) => {
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
  const putImage: MemoryStore['putImage'] = (reference, contents) => {
    const names = [reference];
    const layers = contents.map((bytes) => putContent(bytes, { mediaType: layerType, names }));
    const config = putContent(textBytes('{}'), { mediaType: configType, names });
    const manifest = putContent(textBytes(manifestText(config, layers)), { mediaType: manifestType, names });
    putTag(reference, manifest.digest);
    return { manifest, config, layers };
  };
  const removeContent = (digest: string): void => {
    if (entries.delete(digest)) tell({ type: 'content-removed', digest });
  };
  const removeTag = (reference: string): void => {
    if (tags.delete(reference)) tell({ type: 'tag-removed', reference });
  };
  const damage = (digest: string, bytes: Uint8Array): void => {
    const entry = entries.get(digest);
    if (entry !== undefined) entries.set(digest, { ...entry, bytes });
  };

  const resolve: MemoryStore['resolve'] = async (reference, signal) => {
    throwIfAborted(signal);
    const tag = tags.get(reference);
    return tag !== undefined && entries.has(tag.digest) ? tag : undefined;
  };
  const info: MemoryStore['info'] = async (digest, signal) => {
    throwIfAborted(signal);
    return entries.get(digest)?.info;
  };
  const open: MemoryStore['open'] = async (digest, start, end, signal) => {
    throwIfAborted(signal);
    if (!entries.has(digest)) throw new PeiliError('CONTENT_ABSENT', 'the store has no such content', { digest });
    state.pending += 1;
    const onEnded = (): void => {
      state.pending -= 1;
    };
    const current = (): Uint8Array | undefined => entries.get(digest)?.bytes;
    return createMemoryBody({ current, start, end, chunkBytes, signal, onEnded });
  };
  const list: MemoryStore['list'] = async (signal): Promise<StoreListing> => {
    throwIfAborted(signal);
    const present = [...tags.values()].filter(({ digest }) => entries.has(digest));
    return { contents: [...entries.values()].map((entry) => entry.info), tags: present };
  };
  const watch: MemoryStore['watch'] = (listener) => {
    const own = (change: StoreChange): void => {
      listener(change);
    };
    listeners.add(own);
    return () => void listeners.delete(own);
  };

  const reads = { kind: 'memory', resolve, info, open, list, watch };
  return { ...reads, putContent, putImage, putTag, removeContent, removeTag, damage, pending: () => state.pending };
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
