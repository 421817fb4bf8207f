import type { Chunk, Digester } from '../../core/index.ts';
import { isIndexType, isManifestType, manifestText, indexText, mediaTypes } from './image-texts.ts';
import { SymbolChunk } from './symbols.ts';

/** Content that exists in a simulated world, wherever it is held. */
export interface SimContent {
  /** Its number in the catalogue. */
  readonly id: number;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** Of manifests and indexes, which mirrors read; all else is symbols. */
  readonly bytes: Uint8Array | undefined;
  /** A manifest or an index: registries have them elsewhere than blobs. */
  readonly isManifest: boolean;
}

export interface SimImage {
  /** `registry/repository:tag`. */
  readonly name: string;
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** What the tag means: the index of an image for several platforms, else the manifest. */
  readonly root: SimContent;
  /** Of the first platform. */
  readonly manifest: SimContent;
  readonly config: SimContent;
  readonly layers: readonly SimContent[];
}

export interface ImageText {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly layerBytes: readonly number[];
  /** Images of the same name with another version have other content. @default 0 */
  readonly version?: number;
  /** More than one: the tag means an index. @default none */
  readonly platforms?: readonly string[];
  /** Layers that images share have the same label, by their place; undefined: its own. @default all its own */
  readonly layerLabels?: readonly (string | undefined)[];
  /** @default that of a layer */
  readonly layerType?: string;
  /** @default that of an image's config, which makes containerd unpack it */
  readonly configType?: string;
}

/** What a manifest or an index points at. */
export interface Document {
  /** Of an index: by platform. */
  readonly manifests: readonly { readonly platform: string; readonly content: SimContent }[];
  readonly config: SimContent | undefined;
  readonly layers: readonly SimContent[];
}

const configBytes = 4_096;

/** All content by digest and by number. */
export class Catalogue {
  readonly #digester: Pick<Digester, 'hash'>;
  readonly #byDigest = new Map<string, SimContent>();
  readonly #byId: SimContent[] = [];
  readonly #documents = new Map<SimContent, Document>();

  constructor(digester: Pick<Digester, 'hash'>) {
    this.#digester = digester;
  }

  find(digest: string): SimContent | undefined {
    return this.#byDigest.get(digest);
  }

  byId(id: number): SimContent | undefined {
    return this.#byId[id];
  }

  /** What a manifest or an index says; undefined for other content. */
  document(content: SimContent): Document | undefined {
    return this.#documents.get(content);
  }

  /** A content and all that it leads to, each once. */
  reach(root: SimContent): readonly SimContent[] {
    const reached = new Set([root]);
    for (const content of reached) {
      const document = this.#documents.get(content);
      if (document === undefined) continue;
      for (const manifest of document.manifests) reached.add(manifest.content);
      if (document.config !== undefined) reached.add(document.config);
      for (const layer of document.layers) reached.add(layer);
    }
    return [...reached];
  }

  /** Content whose bytes are symbols. The same label is the same content. */
  addBlob(label: string, sizeBytes: number, mediaType: string = mediaTypes.layer): SimContent {
    return this.#add(new TextEncoder().encode(`${label} ${sizeBytes}`), sizeBytes, mediaType, undefined);
  }

  /** Content of real bytes. */
  addBytes(bytes: Uint8Array, mediaType: string): SimContent {
    return this.#add(bytes, bytes.byteLength, mediaType, bytes);
  }

  addManifest(config: SimContent, layers: readonly SimContent[]): SimContent {
    const manifest = this.addBytes(manifestText(config, layers), mediaTypes.manifest);
    this.#documents.set(manifest, { manifests: [], config, layers });
    return manifest;
  }

  addImage(text: ImageText): SimImage {
    const { registry, repository, tag, platforms = [] } = text;
    const [first = '', ...others] = platforms;
    const parts = this.#addPlatform(text, first);
    const image = { name: `${registry}/${repository}:${tag}`, registry, repository, tag, ...parts };
    if (platforms.length === 0) return { ...image, root: parts.manifest };
    const manifests = [
      { platform: first, content: parts.manifest },
      ...others.map((platform) => ({ platform, content: this.#addPlatform(text, platform).manifest })),
    ];
    const root = this.addBytes(indexText(manifests), mediaTypes.index);
    this.#documents.set(root, { manifests, config: undefined, layers: [] });
    return { ...image, root };
  }

  /** The bytes in [start, end) of a content. */
  chunk(content: SimContent, start: number, end: number): Chunk {
    return content.bytes?.subarray(start, end) ?? new SymbolChunk(content.id, start, end - start);
  }

  #addPlatform(
    { registry, repository, tag, layerBytes, layerLabels = [], layerType, configType, version = 0 }: ImageText,
    platform: string,
  ): Pick<SimImage, 'manifest' | 'config' | 'layers'> {
    const label = `${registry}/${repository}:${tag}#${version}${platform}`;
    const config = this.addBlob(`${label} config`, configBytes, configType ?? mediaTypes.config);
    const layers = layerBytes.map((sizeBytes, index) =>
      this.addBlob(layerLabels[index] ?? `${label} layer ${index}`, sizeBytes, layerType),
    );
    return { manifest: this.addManifest(config, layers), config, layers };
  }

  #add(message: Uint8Array, sizeBytes: number, mediaType: string, bytes: Uint8Array | undefined): SimContent {
    const digest = `sha256:${hex(this.#digester.hash('sha256', message))}`;
    const known = this.#byDigest.get(digest);
    if (known !== undefined) return known;
    const isManifest = isManifestType(mediaType) || isIndexType(mediaType);
    const content: SimContent = { id: this.#byId.length, digest, sizeBytes, mediaType, bytes, isManifest };
    this.#byId.push(content);
    this.#byDigest.set(digest, content);
    return content;
  }
}

/** Whether these are the content's bytes from this offset on. */
export function isSameRun(content: SimContent, offset: number, chunk: Chunk): boolean {
  if (chunk instanceof SymbolChunk) return chunk.blob === content.id && chunk.offset === offset && chunk.wrongAt < 0;
  const { bytes } = content;
  if (bytes === undefined || !(chunk instanceof Uint8Array)) return false;
  return chunk.every((byte, index) => byte === bytes[offset + index]);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
