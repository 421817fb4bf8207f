import { lstat, readdir } from 'node:fs/promises';
import { isDigest } from '../../core/index.ts';
import { algorithms, blobPath } from '../oci-layout/layout-files.ts';
import type { BlobFile } from '../system/blob-file.ts';
import type { ContentRecord } from './containerd-api.ts';

/**
 * The files of containerd's content, `blobs/<alg>/<hex>`, which all namespaces share: what is content is containerd's word, whether it is whole is
 * the file's. Each file's size is looked at once, and again when it is said to have changed.
 */
export interface BlobDirectory {
  /** Those whose file is there and has its size; all of them while the files cannot be seen from here. */
  wholeOf(records: readonly ContentRecord[]): Promise<readonly ContentRecord[]>;
  isWhole(record: ContentRecord): Promise<boolean>;
  hasFile(digest: string): Promise<boolean>;
  /** Has the file's size looked at again. */
  forget(digest: string): void;
  /** Undefined while the files cannot be seen. */
  file(content: { readonly digest: string; readonly sizeBytes: number }): BlobFile | undefined;
  /** Whether the files can be seen from here, as far as was found out: else content is read through containerd. */
  isVisible(): boolean;
}

/** More would only queue for the four threads that touch files. */
const statsAtOnce = 16;

/** `directory` has `blobs/`; undefined: nobody knows where it is. */
export function createBlobDirectory(directory: string | undefined): BlobDirectory {
  const sizes = new Map<string, number>();
  const state = { isVisible: directory !== undefined };
  const pathOf = (digest: string): string => blobPath(directory ?? '', digest);

  const sizeOf = async (digest: string): Promise<number | undefined> => {
    const stat = await lstat(pathOf(digest)).catch(() => undefined);
    return stat?.isFile() === true ? stat.size : undefined;
  };
  const isWhole = async ({ digest, sizeBytes }: ContentRecord): Promise<boolean> => {
    if (!state.isVisible) return true;
    const size = sizes.get(digest) ?? (await sizeOf(digest));
    // As long as no file of containerd's was ever seen here, its files are elsewhere.
    if (size === undefined && sizes.size === 0) state.isVisible = false;
    if (!state.isVisible) return true;
    if (size !== sizeBytes) return false;
    sizes.set(digest, size);
    return true;
  };
  const wholeOf = async (records: readonly ContentRecord[]): Promise<readonly ContentRecord[]> => {
    const present = directory === undefined ? undefined : await listDigests(directory);
    const isElsewhere = records.length > 0 && !records.some(({ digest }) => present?.has(digest));
    state.isVisible = present !== undefined && !isElsewhere;
    if (!state.isVisible) {
      sizes.clear();
      return records;
    }
    for (const digest of sizes.keys()) if (present?.has(digest) !== true) sizes.delete(digest);
    const whole: ContentRecord[] = [];
    const listed = records.filter(({ digest }) => present?.has(digest) === true);
    for (let from = 0; from < listed.length; from += statsAtOnce) {
      const some = listed.slice(from, from + statsAtOnce);
      if (some.every(({ digest, sizeBytes }) => sizes.get(digest) === sizeBytes)) {
        whole.push(...some);
        continue;
      }
      const areWhole = await Promise.all(some.map(isWhole));
      whole.push(...some.filter((_record, index) => areWhole[index]));
    }
    return whole;
  };

  return {
    wholeOf,
    isWhole,
    hasFile: async (digest) => state.isVisible && (await sizeOf(digest)) !== undefined,
    forget: (digest) => void sizes.delete(digest),
    file: ({ digest, sizeBytes }) => (state.isVisible ? { path: pathOf(digest), digest, sizeBytes } : undefined),
    isVisible: () => state.isVisible,
  };
}

/** Undefined if the directory cannot be read; none if it does not exist, as before the first pull. */
async function listDigests(directory: string): Promise<ReadonlySet<string> | undefined> {
  try {
    const kinds = (await readdir(`${directory}/blobs`).catch(absentAsEmpty)).filter(isAlgorithm);
    const lists = await Promise.all(
      kinds.map(async (kind) => (await readdir(`${directory}/blobs/${kind}`)).map((hex) => `${kind}:${hex}`)),
    );
    return new Set(lists.flat().filter(isDigest));
  } catch {
    return undefined;
  }
}

function absentAsEmpty(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

function isAlgorithm(name: string): boolean {
  return algorithms.some((algorithm) => algorithm === name);
}
