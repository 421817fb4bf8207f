import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chunkBytes } from './blob.ts';
import type { Descriptor, TestBlob } from './blob.ts';
import type { TestImage } from './image.ts';

const nameAnnotation = 'io.containerd.image.name';
const tagAnnotation = 'org.opencontainers.image.ref.name';

interface LayoutIndex {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
}

/** Writes into an OCI image layout directory (image-spec, "Image Layout") as a content store does: whole files appear by rename, names come last. */
export interface LayoutWriter {
  readonly directory: string;
  has(digest: string, sizeBytes: number): Promise<boolean>;
  /** Opens an ingest beside the blobs, so that nobody takes a half for a whole. */
  ingest(digest: string): Promise<Ingest>;
  /** Names content that is there: the index is replaced at once. */
  name(reference: string, root: Descriptor): Promise<void>;
  /** Takes a blob away, as garbage collection does. */
  remove(digest: string): Promise<void>;
}

export interface Ingest {
  write(chunk: Uint8Array): Promise<void>;
  /** The blob appears. */
  commit(): Promise<void>;
  /** Nothing stays. Harmless after `commit`. */
  abandon(): Promise<void>;
}

export async function createLayoutWriter(directory: string): Promise<LayoutWriter> {
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
  await mkdir(join(directory, 'ingest'), { recursive: true });
  await replaceFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const known = await readLayoutIndex(directory);
  if (known === undefined) await writeLayoutIndex(directory, []);
  const state: { last: Promise<void> } = { last: Promise.resolve() };

  const addName = async (reference: string, root: Descriptor): Promise<void> => {
    const manifests = (await readLayoutIndex(directory))?.manifests ?? [];
    const others = manifests.filter((entry) => entry.annotations?.[nameAnnotation] !== reference);
    const tag = reference.slice(reference.lastIndexOf(':') + 1);
    const annotations = { [nameAnnotation]: reference, [tagAnnotation]: tag };
    await writeLayoutIndex(directory, [...others, { ...root, annotations }]);
  };

  return {
    directory,
    has: async (digest, sizeBytes) => (await fileSize(blobPath(directory, digest))) === sizeBytes,
    ingest: (digest) => openIngest(directory, digest),
    name: (reference, root) => {
      // One at a time: two that read the index together would lose a name.
      const next = state.last.then(() => addName(reference, root));
      state.last = next.catch(() => undefined);
      return next;
    },
    remove: (digest) => rm(blobPath(directory, digest), { force: true }),
  };
}

/** Writes images into a layout directory, which may hold others already. */
export async function writeOciLayout(images: readonly TestImage[], directory: string): Promise<LayoutWriter> {
  const writer = await createLayoutWriter(directory);
  for (const image of images) {
    for (const blob of image.blobs.values()) {
      if (await writer.has(blob.digest, blob.sizeBytes)) continue;
      const ingest = await writer.ingest(blob.digest);
      for await (const chunk of blob.open(0, blob.sizeBytes)) await ingest.write(chunk);
      await ingest.commit();
    }
    await writer.name(image.name, image.root);
  }
  return writer;
}

export function blobPath(directory: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  if (!/^[a-z0-9]+$/.test(algorithm) || !/^[a-f0-9]+$/.test(hex)) throw new TypeError(`"${digest}" is not a digest`);
  return join(directory, 'blobs', algorithm, hex);
}

/** A file of the layout as a blob; undefined if it is not there. */
export async function openLayoutBlob(
  directory: string,
  digest: string,
  mediaType: string,
): Promise<TestBlob | undefined> {
  const path = blobPath(directory, digest);
  const sizeBytes = await fileSize(path);
  if (sizeBytes === undefined) return undefined;
  const read = (start: number, end: number): AsyncIterable<Uint8Array> | Iterable<Uint8Array> =>
    end > start ? createReadStream(path, { start, end: end - 1, highWaterMark: chunkBytes }) : [];
  return { digest, sizeBytes, mediaType, open: read };
}

/** What the layout's names mean: by full name, else by the bare tag. */
export async function readLayoutNames(directory: string): Promise<ReadonlyMap<string, Descriptor>> {
  const names = new Map<string, Descriptor>();
  for (const entry of (await readLayoutIndex(directory))?.manifests ?? []) {
    const name = entry.annotations?.[nameAnnotation] ?? entry.annotations?.[tagAnnotation];
    if (name !== undefined) names.set(name, entry);
  }
  return names;
}

async function readLayoutIndex(directory: string): Promise<LayoutIndex | undefined> {
  try {
    // A test's own directory: what stands there was written by a layout writer.
    return JSON.parse(await readFile(join(directory, 'index.json'), 'utf8')) as LayoutIndex;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function writeLayoutIndex(directory: string, manifests: readonly Descriptor[]): Promise<void> {
  const index: LayoutIndex = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests };
  return replaceFile(join(directory, 'index.json'), JSON.stringify(index));
}

async function openIngest(directory: string, digest: string): Promise<Ingest> {
  const path = join(directory, 'ingest', randomUUID());
  const file = await open(path, 'wx');
  const state = { open: true };
  const close = async (): Promise<void> => {
    if (state.open) await file.close();
    state.open = false;
  };
  return {
    write: async (chunk) => {
      let at = 0;
      while (at < chunk.byteLength) at += (await file.write(chunk, at)).bytesWritten;
    },
    commit: async () => {
      await close();
      const target = blobPath(directory, digest);
      await mkdir(dirname(target), { recursive: true });
      await rename(path, target);
    },
    abandon: async () => {
      await close();
      await rm(path, { force: true });
    },
  };
}

async function replaceFile(path: string, content: string): Promise<void> {
  const fresh = `${path}.${randomUUID()}`;
  await writeFile(fresh, content);
  await rename(fresh, path);
}

async function fileSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
