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
  /**
   * Those whose file is there and has its size; all of them while the files cannot be seen from here. `listAgain` is asked when of none a file is there: they
   * may be gone by now, as the only image of a new node is.
   */
  wholeOf(
    records: readonly ContentRecord[],
    listAgain: () => Promise<readonly ContentRecord[]>,
  ): Promise<readonly ContentRecord[]>;
  /** `isThere` is asked when no file is there, nor ever was one. */
  isWhole(record: ContentRecord, isThere: () => Promise<boolean>): Promise<boolean>;
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
  const hasSize = async ({ digest, sizeBytes }: ContentRecord): Promise<boolean> => {
    const size = sizes.get(digest) ?? (await sizeOf(digest));
    if (size !== sizeBytes) return false;
    sizes.set(digest, size);
    return true;
  };
  const isWhole = async (record: ContentRecord, isThere: () => Promise<boolean>): Promise<boolean> => {
    if (!state.isVisible || (await hasSize(record))) return true;
    // As long as no file of containerd's was ever seen here, its files are elsewhere: unless this one is gone by now.
    if (sizes.size > 0 || (await sizeOf(record.digest)) !== undefined || !(await isThere())) return false;
    state.isVisible = false;
    return true;
  };
  const listFiles = async (): Promise<ReadonlySet<string> | undefined> =>
    directory === undefined ? undefined : listDigests(directory);

  const wholeOf = async (
    records: readonly ContentRecord[],
    listAgain: () => Promise<readonly ContentRecord[]>,
  ): Promise<readonly ContentRecord[]> => {
    const present = await listFiles();
    if (state.isVisible && present !== undefined && areElsewhere(records, present)) {
      const later = await listAgain();
      return wholeAmong(later, await listFiles());
    }
    return wholeAmong(records, present);
  };
  const wholeAmong = async (
    records: readonly ContentRecord[],
    present: ReadonlySet<string> | undefined,
  ): Promise<readonly ContentRecord[]> => {
    state.isVisible = present !== undefined && !areElsewhere(records, present);
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
      const areWhole = await Promise.all(some.map(hasSize));
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

/** There is content, and of none of it a file. */
function areElsewhere(records: readonly ContentRecord[], present: ReadonlySet<string>): boolean {
  return records.length > 0 && !records.some(({ digest }) => present.has(digest));
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
