import { abortReason } from '../abort.ts';
import { PeiliError } from '../errors.ts';
import type { Clock, ContentStore } from '../ports/index.ts';
import type { TestBlob } from './blob.ts';
import { createScriptedBody } from './scripted-body.ts';
import type { BodyScript } from './scripted-body.ts';

/** What is wrong with one content of the store. `cutAt` reads as an I/O error at that byte. */
export interface StoreScript extends BodyScript {
  /** Bytes on disk, where they are not the content's. */
  readonly content?: Uint8Array;
  /** `info`, `resolve` or `open` never answers. */
  readonly hangs?: 'info' | 'open' | 'resolve';
  /** Opening fails. */
  readonly openFails?: boolean;
  readonly mediaType?: string;
}

export interface FaultyStore extends ContentStore {
  add(blob: TestBlob, script?: StoreScript): void;
  remove(digest: string): void;
  tag(reference: string, digest: string, resolvedAtUs: number): void;
  /** Bodies that nobody has let go of. */
  openBodies(): number;
  readonly opens: readonly { readonly digest: string; readonly start: number; readonly end: number }[];
}

/** A content store in memory that fails where it is told to. */
export function createFaultyStore(clock: Clock): FaultyStore {
  const contents = new Map<string, { blob: TestBlob; script: StoreScript }>();
  const tags = new Map<string, { digest: string; resolvedAtUs: number }>();
  const opens: { digest: string; start: number; end: number }[] = [];
  const open = { now: 0 };
  const hang = (signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(abortReason(signal));
      });
    });
  const hangs = (what: StoreScript['hangs']): boolean =>
    [...contents.values()].some(({ script }) => script.hangs === what);

  return {
    kind: 'memory',
    resolve: (reference, signal) => (hangs('resolve') ? hang(signal) : Promise.resolve(tags.get(reference))),
    info: (digest, signal) => {
      const entry = contents.get(digest);
      if (entry === undefined) return Promise.resolve(undefined);
      if (entry.script.hangs === 'info') return hang(signal);
      const { mediaType } = entry.script;
      return Promise.resolve({
        digest,
        sizeBytes: entry.blob.sizeBytes,
        names: [],
        ...(mediaType === undefined ? {} : { mediaType }),
      });
    },
    open: (digest, start, end, signal) => {
      opens.push({ digest, start, end });
      const entry = contents.get(digest);
      if (entry === undefined) return Promise.reject(new PeiliError('CONTENT_ABSENT', 'not in this store'));
      const { blob, script } = entry;
      if (script.hangs === 'open') return hang(signal);
      if (script.openFails === true) return Promise.reject(new PeiliError('STORE_FAILED', 'EIO by script'));
      open.now += 1;
      const onClosed = (): void => {
        open.now -= 1;
      };
      const cutError = new PeiliError('STORE_FAILED', 'EIO by script');
      const content = script.content ?? blob.bytes;
      return Promise.resolve(
        createScriptedBody({ clock, content, start, end, script: { cutError, ...script }, signal, onClosed }),
      );
    },
    list: () => Promise.resolve({ contents: [], tags: [] }),
    watch: () => () => undefined,
    add: (blob, script = {}) => void contents.set(blob.digest, { blob, script }),
    remove: (digest) => void contents.delete(digest),
    tag: (reference, digest, resolvedAtUs) => void tags.set(reference, { digest, resolvedAtUs }),
    openBodies: () => open.now,
    opens,
  };
}
