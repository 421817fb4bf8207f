import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** containerd's content store as files (`plugins/content/local`), seen from outside. */
export interface ContentFiles {
  /** The committed blob's file, there or not, as a path of this process. */
  blobPath(digest: string): string;
  /** Digests of all committed blobs. */
  blobs(): Promise<readonly string[]>;
  has(digest: string): Promise<boolean>;
  /** Bytes of a blob that are on disk: of a pull under way, or all of them. */
  receivedBytes(digest: string): Promise<number>;
}

/** `directory` is the content store's root, `.../io.containerd.content.v1.content`. */
export function contentFilesOf(directory: string): ContentFiles {
  const blobPath = (digest: string): string => join(directory, 'blobs', ...digest.split(':'));
  const has = (digest: string): Promise<boolean> =>
    stat(blobPath(digest)).then(
      () => true,
      () => false,
    );
  return {
    blobPath,
    has,
    blobs: async () => {
      const names = await readdir(join(directory, 'blobs/sha256')).catch(() => []);
      return names.map((name) => `sha256:${name}`).sort();
    },
    receivedBytes: async (digest) =>
      (await sizeOf(blobPath(digest))) ?? (await ingestBytes(join(directory, 'ingest'), digest)),
  };
}

async function ingestBytes(directory: string, digest: string): Promise<number> {
  for (const name of await readdir(directory).catch(() => [])) {
    // It may be committed between two looks.
    const reference = await readFile(join(directory, name, 'ref'), 'utf8').catch(() => '');
    if (reference.endsWith(digest)) return (await sizeOf(join(directory, name, 'data'))) ?? 0;
  }
  return 0;
}

function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}
