import { lstat } from 'node:fs';
import type { Stats } from 'node:fs';
import { LRUCache } from 'lru-cache';
import type { Limits } from '../../core/index.ts';
import { openError, readBlob } from './blob-file.ts';
import type { BlobFile } from './blob-file.ts';
import { createGate } from './gate.ts';

/** Whole small files (manifests, configs), kept while they do not change: the next read of one costs a stat. */
export interface SmallFiles {
  /** The bytes are shared between callers: nobody writes into them. */
  read(file: BlobFile): Promise<Uint8Array>;
}

interface Kept {
  readonly bytes: Uint8Array;
  /** What the file looked like when it was read. */
  readonly version: string;
}

export function createSmallFiles(limits: Pick<Limits, 'smallContentCacheBytes' | 'smallContentReadsMax'>): SmallFiles {
  const kept = new LRUCache<string, Kept>({
    maxSize: limits.smallContentCacheBytes,
    sizeCalculation: ({ bytes }) => bytes.byteLength + 512,
  });
  const reading = new Map<string, Promise<Uint8Array>>();
  const looking = new Map<string, Promise<string>>();

  /** A look costs more than all else that a cached read does: readers that come while one is under way share it. */
  const versionOf = (file: BlobFile): Promise<string> => {
    const underWay = looking.get(file.path);
    if (underWay !== undefined) return underWay;
    const look = lookAt(file).finally(() => looking.delete(file.path));
    looking.set(file.path, look);
    return look;
  };

  const gate = createGate(limits.smallContentReadsMax);

  const load = async (file: BlobFile, version: string): Promise<Uint8Array> => {
    await gate.enter();
    try {
      const bytes = await readBlob(file);
      kept.set(file.path, { bytes, version });
      return bytes;
    } finally {
      gate.leave();
    }
  };

  const read = async (file: BlobFile): Promise<Uint8Array> => {
    const version = await versionOf(file);
    const known = kept.get(file.path);
    if (known?.version === version && known.bytes.byteLength === file.sizeBytes) return known.bytes;
    const key = `${file.path} ${version}`;
    const underWay = reading.get(key);
    if (underWay !== undefined) return underWay;
    const loading = load(file, version).finally(() => reading.delete(key));
    reading.set(key, loading);
    return loading;
  };

  return { read };
}

/** lstat with a callback costs half of what its promise does, and this is all that a cached read does. */
function lookAt(file: BlobFile): Promise<string> {
  return new Promise((resolve, reject) => {
    lstat(file.path, (error: Error | null, stat: Stats) => {
      if (error === null) resolve(`${stat.mtimeMs} ${stat.ctimeMs} ${stat.size} ${stat.ino}`);
      else reject(openError(file, error));
    });
  });
}
