import type { Limits } from '../../core/index.ts';
import { isDigest } from '../../core/index.ts';
import { parseManifest } from '../oci-layout/image-index.ts';
import { readBlob } from '../system/blob-file.ts';
import type { BlobDirectory } from './blob-directory.ts';
import type { ContainerdApi, ContentRecord } from './containerd-api.ts';
import { sourceNames } from './content-names.ts';
import type { HeldContent, StoreIndex } from './store-index.ts';

/** Brings the index up to what containerd says. Rejects as containerd's API does; what was read until then counts. */
export interface StoreReader {
  /** Lists everything. */
  readAll(signal: AbortSignal): Promise<void>;
  /** Asks about these alone. */
  readSome(wanted: StoreQuestions, signal: AbortSignal): Promise<void>;
  /** Those of which more is expected: files that are not yet content, content that has no name yet. */
  unsettled(digests: ReadonlySet<string>): Promise<readonly string[]>;
}

export interface StoreQuestions {
  readonly digests: ReadonlySet<string>;
  readonly images: ReadonlySet<string>;
}

export interface StoreReaderDeps {
  readonly api: ContainerdApi;
  readonly index: StoreIndex;
  readonly blobs: () => BlobDirectory;
  /** Called before each reading. */
  readonly beforeReading: () => Promise<void>;
}

/** Enough to keep containerd's answers coming while one is worked on. */
const callsAtOnce = 16;

export function createStoreReader(deps: StoreReaderDeps, limits: Pick<Limits, 'storeChecksMax'>): StoreReader {
  const { api, index, blobs } = deps;

  const readManifests = async (signal: AbortSignal): Promise<void> => {
    for (let unread = index.takeUnread(); unread.length > 0; unread = index.takeUnread()) {
      await inGroups(unread, (content) => readManifest(deps, content, signal));
    }
  };

  const readAll = async (signal: AbortSignal): Promise<void> => {
    await deps.beforeReading();
    const listContents = async (): Promise<readonly ContentRecord[]> =>
      (await api.contents(signal)).filter(({ digest }) => isDigest(digest));
    const [contents, images] = await Promise.all([listContents(), api.images(signal)]);
    const whole = await blobs().wholeOf(contents, listContents);
    index.replaceContents(whole.map(heldOf));
    index.replaceImages(images);
    await readManifests(signal);
  };

  const readContent = async (digest: string, signal: AbortSignal): Promise<void> => {
    blobs().forget(digest);
    const record = await api.content(digest, signal);
    const isThere = async (): Promise<boolean> => (await api.content(digest, signal)) !== undefined;
    if (record !== undefined && record.digest === digest && (await blobs().isWhole(record, isThere))) {
      index.setContent(heldOf(record));
    } else {
      index.removeContent(digest);
    }
  };

  const readImage = async (name: string, signal: AbortSignal): Promise<void> => {
    const image = await api.image(name, signal);
    if (image === undefined) index.removeImage(name);
    else index.setImage(image);
  };

  /** What images need may have come to the namespace without a new file, from another one that has it: asked for once. */
  const readMissing = async (images: ReadonlySet<string>, signal: AbortSignal): Promise<void> => {
    const asked = new Set<string>();
    for (;;) {
      const missing = index.missing(images).filter((digest) => !asked.has(digest));
      const some = missing.slice(0, limits.storeChecksMax - asked.size);
      if (some.length === 0) return;
      for (const digest of some) asked.add(digest);
      await inGroups(some, (digest) => readContent(digest, signal));
      await readManifests(signal);
    }
  };

  const readSome = async (wanted: StoreQuestions, signal: AbortSignal): Promise<void> => {
    await deps.beforeReading();
    await inGroups([...wanted.images], (name) => readImage(name, signal));
    await inGroups([...wanted.digests], (digest) => readContent(digest, signal));
    await readManifests(signal);
    await readMissing(wanted.images, signal);
  };

  const unsettled = async (digests: ReadonlySet<string>): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const digest of digests) {
      const isExpected = index.isNameless(digest) || (!index.isPresent(digest) && (await blobs().hasFile(digest)));
      if (isExpected) found.push(digest);
    }
    return found;
  };

  return { readAll, readSome, unsettled };
}

async function readManifest(
  { api, index, blobs }: StoreReaderDeps,
  content: HeldContent,
  signal: AbortSignal,
): Promise<void> {
  const file = blobs().file(content);
  const fromFile = file === undefined ? undefined : await readBlob(file).catch(() => undefined);
  const bytes = fromFile ?? (await readThroughApi(api, content, signal));
  if (bytes === undefined) index.setUnreadable(content.digest);
  else index.setText(content.digest, parseManifest(new TextDecoder().decode(bytes)));
}

function heldOf({ digest, sizeBytes, labels }: ContentRecord): HeldContent {
  return { digest, sizeBytes, names: sourceNames(labels) };
}

/** Undefined if it cannot be read that way either. */
async function readThroughApi(
  api: ContainerdApi,
  { digest, sizeBytes }: HeldContent,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(sizeBytes);
  const read = await api.read(digest, 0, bytes, signal).catch(() => undefined);
  return read === sizeBytes ? bytes : undefined;
}

async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += callsAtOnce) {
    await Promise.all(items.slice(from, from + callsAtOnce).map(work));
  }
}
