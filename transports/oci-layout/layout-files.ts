import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest, PeiliError } from '../../core/index.ts';
import { parseIndex } from './image-index.ts';
import type { Descriptor } from './image-index.ts';

/** Where the content of a digest lies (image-spec, "OCI Image Layout": blobs/<alg>/<encoded>). The digest has been checked. */
export function blobPath(directory: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return join(directory, 'blobs', algorithm, hex);
}

export const algorithms = ['sha256', 'sha512'] as const;

export interface LayoutIndex {
  readonly roots: readonly Descriptor[];
  readonly modifiedAtUs: number;
}

/** Reads `index.json`. `STORE_FAILED` while it is not there or not whole. */
export async function readLayoutIndex(directory: string): Promise<LayoutIndex> {
  const { text, modifiedAtUs } = await readText(join(directory, 'index.json'));
  const roots = parseIndex(text);
  if (roots === undefined) throw new PeiliError('STORE_FAILED', 'index.json is no image index', { directory });
  return { roots, modifiedAtUs };
}

/** Sizes of all files in blobs/<alg>/ that are named like content. Links and whatever else is no regular file are no content. */
export async function readBlobSizes(directory: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const algorithm of algorithms) {
    const names = await listBlobs(join(directory, 'blobs', algorithm));
    const digests = names.map((name) => `${algorithm}:${name}`).filter(isDigest);
    for (let from = 0; from < digests.length; from += statsAtOnce) {
      await Promise.all(digests.slice(from, from + statsAtOnce).map((digest) => addSize(directory, digest, sizes)));
    }
  }
  return sizes;
}

/** More would only queue for the four threads that touch files. */
const statsAtOnce = 16;

async function listBlobs(path: string): Promise<readonly string[]> {
  const stat = await lstat(path).catch(() => undefined);
  // A link would lead out of the layout.
  return stat?.isDirectory() === true ? readdir(path) : [];
}

async function addSize(directory: string, digest: string, sizes: Map<string, number>): Promise<void> {
  const stat = await lstat(blobPath(directory, digest)).catch(() => undefined);
  if (stat?.isFile() === true) sizes.set(digest, stat.size);
}

/** Says in one sentence what is wrong with the directory: `STORE_INVALID`. */
export async function checkLayout(directory: string): Promise<void> {
  const invalid = (what: string, cause?: unknown): PeiliError =>
    new PeiliError(
      'STORE_INVALID',
      `${directory} ${what}: name an existing directory with an OCI image layout (oci-layout, index.json, blobs/).`,
      { directory },
      cause,
    );
  const root = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY).catch((cause: unknown) => {
    throw invalid('is no directory that can be read', cause);
  });
  await root.close();
  const { text } = await readText(join(directory, 'oci-layout')).catch((cause: unknown) => {
    throw invalid('has no oci-layout file', cause);
  });
  if (!/"imageLayoutVersion"\s*:\s*"1\./.test(text)) throw invalid('has an oci-layout file of another version than 1');
  await readLayoutIndex(directory).catch((cause: unknown) => {
    throw invalid('has no index.json with an image index', cause);
  });
  const blobs = await lstat(join(directory, 'blobs')).catch(() => undefined);
  if (blobs?.isDirectory() !== true) throw invalid('has no directory blobs');
}

/** The largest index.json that is read: some thousand images. */
const indexMaxBytes = 16 * 1024 * 1024;

async function readText(path: string): Promise<{ text: string; modifiedAtUs: number }> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (!stat.isFile() || stat.size > indexMaxBytes) throw new Error('it is no file of a sensible size');
      return { text: await handle.readFile('utf8'), modifiedAtUs: Math.floor(stat.mtimeMs * 1000) };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new PeiliError('STORE_FAILED', `${path} cannot be read`, { path }, cause);
  }
}
