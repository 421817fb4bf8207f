import type { Chunk, Digester } from '../../core/index.ts';
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
}

export interface SimImage {
  /** `registry/repository:tag`. */
  readonly name: string;
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
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
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const configType = 'application/vnd.oci.image.config.v1+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';
const configBytes = 4_096;

/** All content by digest and by number. */
export class Catalogue {
  readonly #digester: Pick<Digester, 'hash'>;
  readonly #byDigest = new Map<string, SimContent>();
  readonly #byId: SimContent[] = [];

  constructor(digester: Pick<Digester, 'hash'>) {
    this.#digester = digester;
  }

  find(digest: string): SimContent | undefined {
    return this.#byDigest.get(digest);
  }

  byId(id: number): SimContent | undefined {
    return this.#byId[id];
  }

  /** Content whose bytes are symbols. The same label is the same content. */
  addBlob(label: string, sizeBytes: number, mediaType = layerType): SimContent {
    return this.#add(new TextEncoder().encode(`${label} ${sizeBytes}`), sizeBytes, mediaType, undefined);
  }

  /** Content of real bytes. */
  addBytes(bytes: Uint8Array, mediaType: string): SimContent {
    return this.#add(bytes, bytes.byteLength, mediaType, bytes);
  }

  addImage({ registry, repository, tag, layerBytes, version = 0 }: ImageText): SimImage {
    const label = `${registry}/${repository}:${tag}#${version}`;
    const config = this.addBlob(`${label} config`, configBytes, configType);
    const layers = layerBytes.map((sizeBytes, index) => this.addBlob(`${label} layer ${index}`, sizeBytes));
    const descriptor = ({ mediaType, digest, sizeBytes }: SimContent): object => ({
      mediaType,
      digest,
      size: sizeBytes,
    });
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor(config),
      layers: layers.map(descriptor),
    });
    const manifest = this.addBytes(new TextEncoder().encode(text), manifestType);
    return { name: `${registry}/${repository}:${tag}`, registry, repository, tag, manifest, config, layers };
  }

  /** The bytes in [start, end) of a content. */
  chunk(content: SimContent, start: number, end: number): Chunk {
    return content.bytes?.subarray(start, end) ?? new SymbolChunk(content.id, start, end - start);
  }

  #add(message: Uint8Array, sizeBytes: number, mediaType: string, bytes: Uint8Array | undefined): SimContent {
    const digest = `sha256:${hex(this.#digester.hash('sha256', message))}`;
    const known = this.#byDigest.get(digest);
    if (known !== undefined) return known;
    const content: SimContent = { id: this.#byId.length, digest, sizeBytes, mediaType, bytes };
    this.#byId.push(content);
    this.#byDigest.set(digest, content);
    return content;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
