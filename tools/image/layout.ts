import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { imageConfig } from './image-config.ts';
import type { Architecture } from './platforms.ts';
import { tarOf } from './tar.ts';
import type { Entry } from './tar.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface PlatformImage {
  readonly architecture: Architecture;
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly unpackedBytes: number;
}

export interface ImageNaming {
  readonly repository: string;
  readonly version: string;
  readonly description: string;
  readonly licenses: string;
  /** All times in the image are this one, seconds since 1970. */
  readonly seconds: number;
}

/** Content by its digest, written once. */
export type Blobs = Map<string, Buffer>;

const zstdLevel = 12; // 33 MiB in 7 s of one core; 19 would save 3 MiB more and take 90 s.
const oci = 'application/vnd.oci.image';

/** Adds one platform's image to the blobs. Same entries, same digests. */
export function addImage(
  blobs: Blobs,
  architecture: Architecture,
  layers: readonly { readonly name: string; readonly entries: readonly Entry[] }[],
  naming: ImageNaming,
): PlatformImage {
  const created = new Date(naming.seconds * 1000).toISOString();
  const archives = layers.map(({ entries }) => tarOf(entries, naming.seconds));
  const packed = archives.map((archive) =>
    add(
      blobs,
      `${oci}.layer.v1.tar+zstd`,
      zstdCompressSync(archive, { params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } }),
    ),
  );
  const config = add(blobs, `${oci}.config.v1+json`, {
    created,
    architecture,
    os: 'linux',
    config: { ...imageConfig, Labels: labelsOf(naming) },
    rootfs: { type: 'layers', diff_ids: archives.map(digestOf) },
    history: layers.map(({ name }) => ({ created, created_by: name })),
  });
  const manifest = add(blobs, `${oci}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config,
    layers: packed,
    annotations: labelsOf(naming),
  });
  const unpackedBytes = archives.reduce((total, { byteLength }) => total + byteLength, 0);
  return { architecture, manifest, config, layers: packed, unpackedBytes };
}

/** One name for all platforms. */
export function addIndex(blobs: Blobs, images: readonly PlatformImage[], naming: ImageNaming): Descriptor {
  return add(blobs, `${oci}.index.v1+json`, {
    schemaVersion: 2,
    mediaType: `${oci}.index.v1+json`,
    manifests: images.map(({ architecture, manifest }) => ({ ...manifest, platform: { architecture, os: 'linux' } })),
    annotations: labelsOf(naming),
  });
}

/** The files of an OCI image layout that names one image or index. `docker load` of before containerd's store wants a list of its own beside it. */
export function layoutFiles(
  blobs: Blobs,
  named: Descriptor,
  naming: ImageNaming,
  forDocker?: PlatformImage,
): ReadonlyMap<string, Buffer> {
  const name = `${naming.repository}:${naming.version}`;
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': naming.version };
  const files = new Map<string, Buffer>([
    ['oci-layout', json({ imageLayoutVersion: '1.0.0' })],
    [
      'index.json',
      json({ schemaVersion: 2, mediaType: `${oci}.index.v1+json`, manifests: [{ ...named, annotations }] }),
    ],
    ...[...blobs].map(([digest, bytes]): [string, Buffer] => [blobPath(digest), bytes]),
  ]);
  if (forDocker !== undefined) {
    const { config, layers } = forDocker;
    const row = {
      Config: blobPath(config.digest),
      RepoTags: [name],
      Layers: layers.map(({ digest }) => blobPath(digest)),
    };
    files.set('manifest.json', json([row]));
  }
  return files;
}

export async function writeFiles(folder: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true });
  for (const [path, bytes] of files) await writeFile(join(folder, path), bytes);
}

export function archiveOf(files: ReadonlyMap<string, Buffer>, seconds: number): Buffer {
  const folders = ['blobs', 'blobs/sha256'].map((path): Entry => ({ type: 'directory', path }));
  return tarOf([...folders, ...[...files].map(([path, bytes]): Entry => ({ type: 'file', path, bytes }))], seconds);
}

/** What of the blobs one image is made of. */
export function blobsOf(blobs: Blobs, { manifest, config, layers }: PlatformImage): Blobs {
  const digests = [manifest, config, ...layers].map(({ digest }) => digest);
  return new Map([...blobs].filter(([digest]) => digests.includes(digest)));
}

function labelsOf({ version, description, licenses }: ImageNaming): Readonly<Record<string, string>> {
  const of = 'org.opencontainers.image';
  return {
    [`${of}.title`]: 'peili',
    [`${of}.description`]: description,
    [`${of}.licenses`]: licenses,
    [`${of}.version`]: version,
  };
}

function add(blobs: Blobs, mediaType: string, content: Buffer | object): Descriptor {
  const bytes = Buffer.isBuffer(content) ? content : json(content);
  const digest = digestOf(bytes);
  blobs.set(digest, bytes);
  return { mediaType, digest, size: bytes.byteLength };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
