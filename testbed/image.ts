import { bytesBlob, descriptorOf, jsonBlob } from './blob.ts';
import { createGeneratedBlob, randomPart } from './generated-content.ts';
import { createTarLayer } from './tar-layer.ts';
import type { Descriptor, TestBlob } from './blob.ts';
import type { LayerOptions } from './tar-layer.ts';

export const manifestMediaType = 'application/vnd.oci.image.manifest.v1+json';
export const indexMediaType = 'application/vnd.oci.image.index.v1+json';
const configMediaType = 'application/vnd.oci.image.config.v1+json';
const emptyMediaType = 'application/vnd.oci.empty.v1+json';

/** An image or artifact with everything that belongs to it. */
export interface TestImage {
  /** `registry/repository:tag`. */
  readonly name: string;
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** What the tag names: an index or a manifest. */
  readonly root: Descriptor;
  /** Index, manifests, configs, layers: all, by digest. */
  readonly blobs: ReadonlyMap<string, TestBlob>;
}

export interface ImageOptions {
  /** `registry/repository:tag`, in full. */
  readonly name: string;
  readonly layers: readonly LayerOptions[];
  /** The same seed is the same image to the byte. @default 1 */
  readonly seed?: number;
  /** `os/architecture` each: makes an index with a manifest and own layers per platform. @default none: the tag names one linux/amd64 manifest */
  readonly platforms?: readonly string[];
  /** What a container of it runs. @default /bin/true, which is not there */
  readonly command?: readonly string[];
}

/** A runnable-looking OCI image: real config with diff ids, real tar layers, contents that do not compress. */
export async function createImage(options: ImageOptions): Promise<TestImage> {
  const { name, layers, seed = 1, platforms, command = ['/bin/true'] } = options;
  const blobs = new Map<string, TestBlob>();
  const manifests: Descriptor[] = [];
  for (const platform of platforms ?? ['linux/amd64']) {
    const made = await Promise.all(
      layers.map((layer, at) => createTarLayer(`${name}-${seed}-${platform}-${at}`, layer)),
    );
    const [os = 'linux', architecture = 'amd64'] = platform.split('/');
    const config = jsonBlob(imageConfig(os, architecture, made, command), configMediaType);
    const manifest = jsonBlob(
      { schemaVersion: 2, mediaType: manifestMediaType, config: descriptorOf(config), layers: made.map(descriptorOf) },
      manifestMediaType,
    );
    for (const blob of [manifest, config, ...made]) blobs.set(blob.digest, blob);
    manifests.push({ ...descriptorOf(manifest), platform: { architecture, os } });
  }
  const [only] = manifests;
  if (platforms === undefined && only !== undefined) return imageOf(name, only, blobs);
  const index = jsonBlob({ schemaVersion: 2, mediaType: indexMediaType, manifests }, indexMediaType);
  blobs.set(index.digest, index);
  return imageOf(name, descriptorOf(index), blobs);
}

export type ArtifactFile =
  | { readonly mediaType: string; readonly content: string | Uint8Array; readonly title?: string }
  | { readonly mediaType: string; readonly sizeBytes: number; readonly title?: string };

export interface ArtifactOptions {
  readonly name: string;
  readonly artifactType: string;
  /** The artifact's layers: given bytes (empty ones too), or generated ones of a size. */
  readonly files: readonly ArtifactFile[];
  /** @default 1 */
  readonly seed?: number;
  /** What it is about: the artifact becomes a referrer of it. */
  readonly subject?: Descriptor;
}

/** An OCI artifact (image-spec, "Guidelines for Artifact Usage"): an artifactType, the empty `{}` config, and any blobs. */
export async function createArtifact(options: ArtifactOptions): Promise<TestImage> {
  const { name, artifactType, files, seed = 1, subject } = options;
  const config = bytesBlob('{}', emptyMediaType);
  const made = await Promise.all(files.map((file, at) => createFileBlob(file, `${name}-${seed}-${at}`)));
  const layers = made.map((blob, at) => {
    const title = files[at]?.title;
    return {
      ...descriptorOf(blob),
      ...(title === undefined ? {} : { annotations: { 'org.opencontainers.image.title': title } }),
    };
  });
  const manifest = jsonBlob(
    { schemaVersion: 2, mediaType: manifestMediaType, artifactType, config: descriptorOf(config), layers, subject },
    manifestMediaType,
  );
  const blobs = new Map([manifest, config, ...made].map((blob) => [blob.digest, blob]));
  return imageOf(name, { ...descriptorOf(manifest), artifactType }, blobs);
}

function createFileBlob(file: ArtifactFile, seed: string): Promise<TestBlob> {
  if ('content' in file) return Promise.resolve(bytesBlob(file.content, file.mediaType));
  return createGeneratedBlob([randomPart(seed, file.sizeBytes)], file.mediaType);
}

function imageConfig(
  os: string,
  architecture: string,
  layers: readonly TestBlob[],
  command: readonly string[],
): object {
  return {
    created: '1970-01-01T00:00:00Z',
    architecture,
    os,
    config: { Cmd: command },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'generated content' })),
  };
}

function imageOf(name: string, root: Descriptor, blobs: ReadonlyMap<string, TestBlob>): TestImage {
  return { name, ...splitReference(name), root, blobs };
}

/** `registry/repository:tag` in its parts. */
export function splitReference(name: string): { registry: string; repository: string; tag: string } {
  const parts = /^([^/]+)\/(.+):([^:/]+)$/.exec(name);
  const [, registry, repository, tag] = parts ?? [];
  if (registry === undefined || repository === undefined || tag === undefined) {
    throw new TypeError(`"${name}" is not a full reference: give registry/repository:tag`);
  }
  return { registry, repository, tag };
}
