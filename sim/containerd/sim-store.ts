import { abortedError, onAbort, PeiliError, throwIfAborted } from '../../core/index.ts';
import type { Body, Chunk, Clock, ContentInfo, ContentStore, StoreChange, TagEntry } from '../../core/index.ts';
import type { Catalogue, SimContent } from '../content/catalogue.ts';

export interface SimStoreDeps {
  readonly clock: Pick<Clock, 'schedule' | 'wallUs'>;
  readonly catalogue: Catalogue;
}

/** What a node's containerd holds. It outlives its mirror. */
export class SimStore implements ContentStore {
  readonly kind = 'containerd';
  readonly #deps: SimStoreDeps;
  readonly #contents = new Map<string, ContentInfo>();
  readonly #tags = new Map<string, TagEntry>();
  readonly #listeners = new Set<(change: StoreChange) => void>();
  readonly #wrongBytes = new Map<string, number>();

  constructor(deps: SimStoreDeps) {
    this.#deps = deps;
  }

  /** Content that has been committed under this name. */
  commit({ digest, sizeBytes, mediaType }: SimContent, name: string): void {
    const names = [...new Set([...(this.#contents.get(digest)?.names ?? []), name])];
    const content: ContentInfo = { digest, sizeBytes, mediaType, names };
    this.#contents.set(digest, content);
    this.#wrongBytes.delete(digest);
    this.#tell({ type: 'content-added', content });
  }

  /** A name that means this digest from now on. */
  setTag(reference: string, digest: string): void {
    const tag: TagEntry = { reference, digest, resolvedAtUs: this.#deps.clock.wallUs() };
    this.#tags.set(reference, tag);
    this.#tell({ type: 'tag-set', tag });
  }

  remove(digest: string): void {
    if (this.#contents.delete(digest)) this.#tell({ type: 'content-removed', digest });
  }

  removeTag(reference: string): void {
    if (this.#tags.delete(reference)) this.#tell({ type: 'tag-removed', reference });
  }

  /** Its disk is another one. */
  clear(): void {
    for (const reference of this.#tags.keys()) this.removeTag(reference);
    for (const digest of this.#contents.keys()) this.remove(digest);
  }

  /** One byte of its file is another one from now on. */
  corrupt(digest: string, atByte: number): void {
    this.#wrongBytes.set(digest, atByte);
  }

  has(digest: string): boolean {
    return this.#contents.has(digest);
  }

  resolve(reference: string, signal: AbortSignal): ReturnType<ContentStore['resolve']> {
    return this.#answer(signal, () => {
      const tag = this.#tags.get(reference);
      return tag === undefined || !this.#contents.has(tag.digest) ? undefined : tag;
    });
  }

  info(digest: string, signal: AbortSignal): ReturnType<ContentStore['info']> {
    return this.#answer(signal, () => this.#contents.get(digest));
  }

  open(digest: string, start: number, end: number, signal: AbortSignal): Promise<Body> {
    return this.#answer(signal, () => {
      const content = this.#contents.has(digest) ? this.#deps.catalogue.find(digest) : undefined;
      if (content === undefined) throw new PeiliError('CONTENT_ABSENT', `${digest} is not here`);
      return new StoreBody(this.#chunk(content, start, end), signal);
    });
  }

  list(signal: AbortSignal): ReturnType<ContentStore['list']> {
    return this.#answer(signal, () => ({ contents: [...this.#contents.values()], tags: [...this.#tags.values()] }));
  }

  watch(listener: (change: StoreChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The mirror that watched is gone, without a farewell. */
  forgetListeners(): void {
    this.#listeners.clear();
  }

  #chunk(content: SimContent, start: number, end: number): Chunk {
    const chunk = this.#deps.catalogue.chunk(content, start, end);
    const wrongAt = this.#wrongBytes.get(content.digest);
    return wrongAt === undefined || !('withWrongByte' in chunk)
      ? chunk
      : (chunk as { withWrongByte(at: number): Chunk }).withWrongByte(wrongAt);
  }

  async #answer<T>(signal: AbortSignal, look: () => T): Promise<T> {
    throwIfAborted(signal);
    await Promise.resolve();
    throwIfAborted(signal);
    return look();
  }

  #tell(change: StoreChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** All that was asked for, in one chunk. */
class StoreBody implements Body {
  readonly #unhook: () => void;
  #left: Chunk | undefined;
  #isEnded = false;

  constructor(chunk: Chunk, signal: AbortSignal) {
    this.#left = chunk.byteLength === 0 ? undefined : chunk;
    this.#unhook = onAbort(signal, () => {
      this.#isEnded = true;
    });
  }

  next(): Promise<IteratorResult<Chunk, undefined>> {
    if (this.#isEnded) return Promise.reject(abortedError());
    const value = this.#left;
    this.#left = undefined;
    if (value !== undefined) return Promise.resolve({ done: false, value });
    this.#unhook();
    return Promise.resolve({ done: true, value });
  }

  return(): Promise<IteratorResult<Chunk, undefined>> {
    this.#unhook();
    this.#isEnded = true;
    return Promise.resolve({ done: true, value: undefined });
  }
}
