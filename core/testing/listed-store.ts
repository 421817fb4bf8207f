import { PeiliError } from '../errors.ts';
import type { ContentInfo, ContentStore, StoreChange, TagEntry } from '../ports/index.ts';

/** A content store that has names and no bytes: for what only lists and watches. */
export interface ListedStore extends ContentStore {
  addContent(digest: string, names?: readonly string[]): void;
  removeContent(digest: string): void;
  setTag(tag: TagEntry): void;
  removeTag(reference: string): void;
  /** Changes from now on are made silently: only a listing shows them. */
  mute(isMuted: boolean): void;
  /** Tells watchers that changes may have been missed. */
  gap(): void;
  /** Listings fail while it is set. */
  fail(isFailing: boolean): void;
  readonly listings: number;
  readonly watchers: number;
}

export function createListedStore(): ListedStore {
  const contents = new Map<string, ContentInfo>();
  const tags = new Map<string, TagEntry>();
  const listeners = new Set<(change: StoreChange) => void>();
  const state = { isMuted: false, isFailing: false, listings: 0 };
  const tell = (change: StoreChange): void => {
    if (!state.isMuted) for (const listener of listeners) listener(change);
  };
  return {
    kind: 'listed',
    resolve: (reference) => Promise.resolve(tags.get(reference)),
    info: (digest) => Promise.resolve(contents.get(digest)),
    open: () => Promise.reject(new PeiliError('CONTENT_ABSENT', 'this store has names only')),
    list: () => {
      state.listings += 1;
      if (state.isFailing) return Promise.reject(new PeiliError('STORE_FAILED', 'the store cannot be listed'));
      return Promise.resolve({ contents: [...contents.values()], tags: [...tags.values()] });
    },
    watch: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    addContent: (digest, names = []) => {
      const content = { digest, sizeBytes: 1, names };
      contents.set(digest, content);
      tell({ type: 'content-added', content });
    },
    removeContent: (digest) => {
      contents.delete(digest);
      tell({ type: 'content-removed', digest });
    },
    setTag: (tag) => {
      tags.set(tag.reference, tag);
      tell({ type: 'tag-set', tag });
    },
    removeTag: (reference) => {
      tags.delete(reference);
      tell({ type: 'tag-removed', reference });
    },
    mute: (isMuted) => {
      state.isMuted = isMuted;
    },
    gap: () => {
      for (const listener of listeners) listener({ type: 'gap', reason: 'test' });
    },
    fail: (isFailing) => {
      state.isFailing = isFailing;
    },
    get listings() {
      return state.listings;
    },
    get watchers() {
      return listeners.size;
    },
  };
}
