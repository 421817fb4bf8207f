import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  blobPath,
  bytesBlob,
  createLayoutWriter,
  descriptorOf,
  jsonBlob,
  manifestMediaType,
} from '../testbed/index.ts';
import type { Descriptor, LayoutWriter, TestBlob } from '../testbed/index.ts';

export const registryName = 'bench.local';
export const repositoryName = 'bench/image';

/** Content of a name: a manifest and its blobs, as files of a layout. */
export interface Content {
  readonly manifest: TestBlob;
  readonly layers: readonly Descriptor[];
}

export function blobUrl(digest: string): string {
  return `/v2/${repositoryName}/blobs/${digest}?ns=${registryName}`;
}

export function manifestUrl(digest: string): string {
  return `/v2/${repositoryName}/manifests/${digest}?ns=${registryName}`;
}

/** Small blobs of random bytes, under one name. */
export async function writeSmallContent(
  layout: LayoutWriter,
  tag: string,
  count: number,
  sizeBytes: number,
): Promise<Content> {
  const blobs = Array.from({ length: count }, () => bytesBlob(randomBytes(sizeBytes), 'application/octet-stream'));
  for (const blob of blobs) await writeBlob(layout, blob);
  return writeManifest(layout, tag, blobs.map(descriptorOf));
}

/** The manifest last and then its name, as a pull ends. */
export async function writeManifest(
  layout: LayoutWriter,
  tag: string,
  layers: readonly Descriptor[],
): Promise<Content> {
  const config = bytesBlob('{}', 'application/vnd.oci.empty.v1+json');
  const manifest = jsonBlob(
    { schemaVersion: 2, mediaType: manifestMediaType, config: descriptorOf(config), layers },
    manifestMediaType,
  );
  await writeBlob(layout, config);
  await writeBlob(layout, manifest);
  await layout.name(`${registryName}/${repositoryName}:${tag}`, descriptorOf(manifest));
  return { manifest, layers };
}

async function writeBlob(layout: LayoutWriter, blob: TestBlob): Promise<void> {
  if (await layout.has(blob.digest, blob.sizeBytes)) return;
  const ingest = await layout.ingest(blob.digest);
  for await (const chunk of blob.open(0, blob.sizeBytes)) await ingest.write(chunk);
  await ingest.commit();
}

/**
 * Large blobs, `count` of them, that are one file under as many names: it is in the page cache once, and no two pulls ask for the same digest, which
 * would put the holder under suspicion (contract L8). So the names are not the digests of the bytes: nothing may hash them on the way.
 */
export async function writeLargeBlobs(layout: LayoutWriter, count: number, sizeBytes: number): Promise<Descriptor[]> {
  const path = join(layout.directory, 'large');
  const chunk = randomBytes(1024 * 1024);
  const file = await open(path, 'w');
  for (let at = 0; at < sizeBytes; at += chunk.byteLength) {
    chunk.writeDoubleBE(at, 0); // No two offsets are alike.
    await file.write(chunk.subarray(0, Math.min(chunk.byteLength, sizeBytes - at)));
  }
  await file.sync();
  await file.close();
  return Array.from({ length: count }, () => {
    const digest = `sha256:${randomBytes(32).toString('hex')}`;
    linkSync(path, blobPath(layout.directory, digest));
    return { digest, size: sizeBytes, mediaType: 'application/octet-stream' };
  });
}

/** The same files in a second store, without a second copy. */
export async function linkContent(
  from: LayoutWriter,
  directory: string,
  tag: string,
  content: Content,
): Promise<LayoutWriter> {
  const layout = await createLayoutWriter(directory);
  for (const { digest } of content.layers) {
    const target = blobPath(directory, digest);
    mkdirSync(dirname(target), { recursive: true });
    linkSync(blobPath(from.directory, digest), target);
  }
  await writeManifest(layout, tag, content.layers);
  return layout;
}
