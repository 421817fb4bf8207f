import { readBlob } from './blob.ts';
import { openLayoutBlob, readLayoutNames } from './oci-layout.ts';
import type { TestBlob } from './blob.ts';
import type { TestImage } from './image.ts';

/** What a registry serves. */
export interface UpstreamContent {
  /** The digest that `repository:tag` means; whatever registry the image's name says. */
  resolve(repository: string, tag: string): Promise<string | undefined>;
  manifest(digest: string): Promise<TestBlob | undefined>;
  blob(digest: string): Promise<TestBlob | undefined>;
}

export function contentOfImages(images: readonly TestImage[]): UpstreamContent {
  const find = (digest: string): TestBlob | undefined =>
    images.find((image) => image.blobs.has(digest))?.blobs.get(digest);
  return {
    resolve: (repository, tag) =>
      Promise.resolve(images.find((image) => image.repository === repository && image.tag === tag)?.root.digest),
    manifest: (digest) => Promise.resolve(find(digest)),
    blob: (digest) => Promise.resolve(find(digest)),
  };
}

/** An OCI image layout directory, read afresh for every request. */
export function contentOfLayout(directory: string): UpstreamContent {
  return {
    resolve: async (repository, tag) => {
      const names = await readLayoutNames(directory);
      const wanted = [...names].find(([name]) => name === tag || name.endsWith(`/${repository}:${tag}`));
      return wanted?.[1].digest;
    },
    manifest: async (digest) => {
      const blob = await openLayoutBlob(directory, digest, 'application/octet-stream');
      return blob === undefined ? undefined : { ...blob, mediaType: await manifestTypeOf(blob) };
    },
    blob: (digest) => openLayoutBlob(directory, digest, 'application/octet-stream'),
  };
}

const manifestMaxBytes = 4 * 1024 * 1024;

async function manifestTypeOf(blob: TestBlob): Promise<string> {
  if (blob.sizeBytes > manifestMaxBytes) return blob.mediaType;
  const manifest: unknown = JSON.parse(new TextDecoder().decode(await readBlob(blob)));
  const typed =
    typeof manifest === 'object' && manifest !== null && 'mediaType' in manifest ? manifest.mediaType : undefined;
  return typeof typed === 'string' ? typed : blob.mediaType;
}
