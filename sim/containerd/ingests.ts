import type { Chunk } from '../../core/index.ts';
import { isSameRun } from '../content/catalogue.ts';
import type { SimContent } from '../content/catalogue.ts';
import { ingestStepBytes } from './containerd-options.ts';

/** Content on its way into the store: `ingest/<hash>/data`, which only grows, from the front. */
export class Ingest {
  readonly content: SimContent;
  /** Bytes that have been written. */
  offset = 0;
  /** One of them is not the content's. */
  isWrong = false;
  /** Somebody writes to it. */
  isOpen = true;

  constructor(content: SimContent) {
    this.content = content;
  }

  /** What the file has: the copy writes whole steps, and the rest when it ends. */
  get visibleBytes(): number {
    const { offset } = this;
    return this.isOpen && offset < this.content.sizeBytes ? offset - (offset % ingestStepBytes) : offset;
  }

  write(chunk: Chunk): void {
    this.isWrong ||= !isSameRun(this.content, this.offset, chunk);
    this.offset += chunk.byteLength;
  }
}

/** All ingests of a store, by the digest that each is to have. */
export class Ingests {
  readonly #all = new Map<string, Ingest>();

  /** The one that is there, as it was left, or a new one. */
  open(content: SimContent): Ingest {
    let ingest = this.#all.get(content.digest);
    if (ingest === undefined) {
      ingest = new Ingest(content);
      this.#all.set(content.digest, ingest);
    }
    ingest.isOpen = true;
    return ingest;
  }

  find(digest: string): Ingest | undefined {
    return this.#all.get(digest);
  }

  list(): Iterable<Ingest> {
    return this.#all.values();
  }

  remove({ content }: Ingest): void {
    this.#all.delete(content.digest);
  }

  /** Those that nobody writes to go. */
  collect(): void {
    for (const ingest of this.#all.values()) if (!ingest.isOpen) this.remove(ingest);
  }

  clear(): void {
    this.#all.clear();
  }
}
