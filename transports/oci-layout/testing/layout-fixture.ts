import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobPath } from '../layout-files.ts';
import type { Descriptor } from '../image-index.ts';

/** A layout in a directory of its own under the system's temporary one, for tests. */
export interface LayoutFixture {
  readonly directory: string;
  /** Writes a blob and says how to point at it. */
  blob(bytes: Uint8Array | string, mediaType?: string): Promise<Descriptor>;
  /** An image of a config and layers; not yet in the index. */
  image(
    layers: readonly (Uint8Array | string)[],
  ): Promise<{ root: Descriptor; config: Descriptor; layers: Descriptor[] }>;
  /** Replaces `index.json` in one step, as tools do. */
  index(roots: readonly Descriptor[]): Promise<void>;
  removeBlob(digest: string): Promise<void>;
  remove(): Promise<void>;
}

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const configType = 'application/vnd.oci.image.config.v1+json';
export const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';

export async function createLayoutFixture(): Promise<LayoutFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'peili-layout-'));
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');

  const writeWhole = async (path: string, bytes: Uint8Array | string): Promise<void> => {
    await writeFile(`${path}.tmp`, bytes);
    await rename(`${path}.tmp`, path);
  };
  const index = (roots: readonly Descriptor[]): Promise<void> =>
    writeWhole(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: roots }));
  const blob = async (content: Uint8Array | string, mediaType?: string): Promise<Descriptor> => {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await writeWhole(blobPath(directory, digest), bytes);
    return { digest, size: bytes.byteLength, ...(mediaType === undefined ? {} : { mediaType }) };
  };
  const image: LayoutFixture['image'] = async (contents) => {
    const layers = await Promise.all(contents.map((content) => blob(content, layerType)));
    const config = await blob(JSON.stringify({ rootfs: { diff_ids: layers.map(({ digest }) => digest) } }), configType);
    const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers };
    return { root: await blob(JSON.stringify(manifest), manifestType), config, layers };
  };
  await index([]);
  return {
    directory,
    blob,
    image,
    index,
    removeBlob: (digest) => unlink(blobPath(directory, digest)),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** A root under the name that containerd's exports give it. */
export function named(root: Descriptor, name: string): Descriptor {
  return { ...root, annotations: { ...root.annotations, 'io.containerd.image.name': name } };
}
