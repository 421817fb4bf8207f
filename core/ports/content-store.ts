import type { Body } from './body.ts';

/** What a node's runtime holds: content by digest, and names (tags) that point at it. */
export interface ContentStore {
  /** A short name for events and logs, `oci-layout` or `containerd`. */
  readonly kind: string;
  /** A tag reference `registry/repository:tag` to what it names here. Undefined if the store has no such name, or its content is absent. */
  resolve(reference: string, signal: AbortSignal): Promise<ResolvedTag | undefined>;
  /** Undefined if the content is absent or not whole. */
  info(digest: string, signal: AbortSignal): Promise<ContentInfo | undefined>;
  /**
   * The bytes in [start, end) of the content, 0 <= start <= end <= size.
   * Rejects with `CONTENT_ABSENT` if the store has it no longer, with `STORE_FAILED` if it cannot be read. A file that is
   * shorter than promised makes `next()` reject with `STORE_FAILED`: a body that ends cleanly has given all its bytes.
   */
  open(digest: string, start: number, end: number, signal: AbortSignal): Promise<Body>;
  /** Everything that is present now. */
  list(signal: AbortSignal): Promise<StoreListing>;
  /** Calls back after changes, soon and at least once per change; `gap` when changes may have been missed: list again. */
  watch(listener: (change: StoreChange) => void): Disposer;
}

export interface ResolvedTag {
  readonly digest: string;
  /** When this node learned that the tag means this digest: wall microseconds. */
  readonly resolvedAtUs: number;
}

export interface ContentInfo {
  readonly digest: string;
  readonly sizeBytes: number;
  /** The media type where the store knows it (from a descriptor or from the manifest itself). */
  readonly mediaType?: string;
  /** The references `registry/repository[:tag]` that this content is known under; empty when it has none. */
  readonly names: readonly string[];
}

export interface StoreListing {
  readonly contents: readonly ContentInfo[];
  readonly tags: readonly TagEntry[];
}

export interface TagEntry extends ResolvedTag {
  /** `registry/repository:tag`. */
  readonly reference: string;
}

export type StoreChange =
  | { readonly type: 'content-added'; readonly content: ContentInfo }
  | { readonly type: 'content-removed'; readonly digest: string }
  | { readonly type: 'tag-set'; readonly tag: TagEntry }
  | { readonly type: 'tag-removed'; readonly reference: string }
  | { readonly type: 'gap'; readonly reason: string };

/** Ends a subscription. Idempotent. */
export type Disposer = () => void;
