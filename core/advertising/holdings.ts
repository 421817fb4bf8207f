import type { ContentInfo, StoreChange, StoreListing, TagEntry } from '../ports/index.ts';

export interface HoldingsFilter {
  /** Whether content may be advertised: it is if one of its names is allowed. */
  allowsContent(content: ContentInfo): boolean;
  /** Whether a tag, `registry/repository:tag`, may be advertised. */
  allowsTag(reference: string): boolean;
  /** Whether anything is advertised at all now. @default always */
  readonly advertises?: () => boolean;
  /** A tag that was resolved longer ago is not advertised, microseconds. Undefined: no limit. */
  readonly tagMaxAgeUs: number | undefined;
}

/** What is to be said about a text (a digest or a tag reference) that is advertised. */
export interface Holding {
  readonly tag: { readonly digest: string; readonly resolvedAtUs: number } | undefined;
}

interface KnownTag extends TagEntry {
  readonly isAllowed: boolean;
  /** At the last judgement; one that has not been judged is young. */
  isTooOld: boolean;
}

/**
 * What this node holds and may advertise, after the store's listing and its changes, whichever way each arrived. Pure of I/O: it collects the texts
 * whose answer may have changed, and says for each what is true now.
 */
export class Holdings {
  readonly #filter: HoldingsFilter;
  /** Digest -> whether it may be advertised. */
  readonly #contents = new Map<string, boolean>();
  readonly #tags = new Map<string, KnownTag>();
  readonly #tagsOf = new Map<string, Set<string>>();
  readonly #wrong = new Set<string>();
  readonly #touched = new Set<string>();

  constructor(filter: HoldingsFilter) {
    this.#filter = filter;
  }

  /** The digest or reference that the change is about is returned; undefined for a gap. */
  apply(change: StoreChange): string | undefined {
    switch (change.type) {
      case 'content-added':
        this.#setContent(change.content);
        return change.content.digest;
      case 'content-removed':
        this.#removeContent(change.digest);
        return change.digest;
      case 'tag-set':
        this.#setTag(change.tag);
        return change.tag.reference;
      case 'tag-removed':
        this.#removeTag(change.reference);
        return change.reference;
      case 'gap':
        return undefined;
    }
  }

  /** Takes a listing for the truth, but for the texts that changed while it was made: there the change is newer. */
  replace(listing: StoreListing, changedMeanwhile: ReadonlySet<string>): void {
    const contents = listing.contents.filter(({ digest }) => !changedMeanwhile.has(digest));
    const tags = listing.tags.filter(({ reference }) => !changedMeanwhile.has(reference));
    const listed = new Set([...contents.map(({ digest }) => digest), ...tags.map(({ reference }) => reference)]);
    const isGone = (text: string): boolean => !listed.has(text) && !changedMeanwhile.has(text);
    for (const digest of [...this.#contents.keys(), ...this.#wrong]) if (isGone(digest)) this.#removeContent(digest);
    for (const reference of this.#tags.keys()) if (isGone(reference)) this.#removeTag(reference);
    for (const content of contents) this.#setContent(content);
    for (const tag of tags) this.#setTag(tag);
  }

  /** Content whose bytes are not its digest's: as good as absent until the store has removed it and got it anew. */
  markWrong(digest: string): void {
    if (this.#wrong.has(digest) || !this.#contents.has(digest)) return;
    this.#wrong.add(digest);
    this.#touch(digest);
  }

  /** Sorts out which tags are too old by now. Returns in how long, microseconds, the next one will be; undefined if none will. */
  judgeAges(wallUs: number): number | undefined {
    const { tagMaxAgeUs } = this.#filter;
    if (tagMaxAgeUs === undefined) return undefined;
    let nextUs = Infinity;
    for (const tag of this.#tags.values()) {
      const leftUs = tag.resolvedAtUs + tagMaxAgeUs - wallUs;
      const isTooOld = leftUs < 0;
      if (isTooOld !== tag.isTooOld) this.#touched.add(tag.reference);
      tag.isTooOld = isTooOld;
      if (!isTooOld) nextUs = Math.min(nextUs, Math.floor(leftUs) + 1);
    }
    return nextUs === Infinity ? undefined : nextUs;
  }

  /** What is said about everything may have changed. */
  touchAll(): void {
    for (const text of [...this.#contents.keys(), ...this.#tags.keys()]) this.#touched.add(text);
  }

  /** The texts whose holding may have changed since the last call. */
  takeTouched(): string[] {
    const touched = [...this.#touched];
    this.#touched.clear();
    return touched;
  }

  /** What is true of a text now; undefined if it is not to be advertised. */
  holding(text: string): Holding | undefined {
    if (this.#filter.advertises?.() === false) return undefined;
    const tag = this.#tags.get(text);
    if (tag === undefined) return this.#contents.get(text) === true && !this.#wrong.has(text) ? { tag } : undefined;
    const { digest, resolvedAtUs, isAllowed, isTooOld } = tag;
    const isPresent = this.#contents.has(digest) && !this.#wrong.has(digest);
    return isAllowed && isPresent && !isTooOld ? { tag: { digest, resolvedAtUs } } : undefined;
  }

  #setContent(content: ContentInfo): void {
    const isAllowed = this.#filter.allowsContent(content);
    if (this.#contents.get(content.digest) === isAllowed) return;
    this.#contents.set(content.digest, isAllowed);
    this.#touch(content.digest);
  }

  #removeContent(digest: string): void {
    this.#wrong.delete(digest);
    if (this.#contents.delete(digest)) this.#touch(digest);
  }

  #setTag({ reference, digest, resolvedAtUs }: TagEntry): void {
    const known = this.#tags.get(reference);
    if (known?.digest === digest && known.resolvedAtUs === resolvedAtUs) return;
    this.#removeTag(reference);
    const isAllowed = this.#filter.allowsTag(reference);
    this.#tags.set(reference, { reference, digest, resolvedAtUs, isAllowed, isTooOld: false });
    const references = this.#tagsOf.get(digest) ?? new Set();
    this.#tagsOf.set(digest, references.add(reference));
    this.#touched.add(reference);
  }

  #removeTag(reference: string): void {
    const tag = this.#tags.get(reference);
    if (tag === undefined) return;
    this.#tags.delete(reference);
    const references = this.#tagsOf.get(tag.digest);
    references?.delete(reference);
    if (references?.size === 0) this.#tagsOf.delete(tag.digest);
    this.#touched.add(reference);
  }

  /** A tag is advertised only with its content. */
  #touch(digest: string): void {
    this.#touched.add(digest);
    for (const reference of this.#tagsOf.get(digest) ?? []) this.#touched.add(reference);
  }
}
