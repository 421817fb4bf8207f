import { isDigest } from '../../core/index.ts';
import type { ContentInfo, StoreChange, StoreListing, TagEntry } from '../../core/index.ts';
import { isMediaType, mayHaveChildren } from '../oci-layout/image-index.ts';
import type { Descriptor, ManifestText } from '../oci-layout/image-index.ts';
import type { ImageRecord } from './containerd-api.ts';
import { readImageName } from './content-names.ts';
import type { ImageName } from './content-names.ts';

/** Content that is present: in the namespace, and whole. */
export interface HeldContent {
  readonly digest: string;
  readonly sizeBytes: number;
  /** Names that it has by itself, from labels: they count where no image's name leads here. */
  readonly names: readonly string[];
}

type Pointer = Pick<Descriptor, 'digest' | 'mediaType'>;

interface Image {
  target: Pointer;
  updatedAtUs: number;
  readonly name: ImageName;
  /** What its target leads to, absent content included. */
  reach: ReadonlySet<string>;
}

/** An image's documents may point so many times at each of its contents, on average: platforms share layers. */
const pointersPerName = 4;

export interface StoreIndexOptions {
  readonly namesPerImageMax: number;
  /** Manifests of more bytes are not read. */
  readonly manifestMaxBytes: number;
  /** Called when an image's name can never be asked for. */
  readonly onSkipped: (name: string) => void;
}

/**
 * What the store serves, from contents, image records and manifests, whichever way and in whichever order each became known: only what a change
 * touches is worked out again. Pure of I/O; it says which manifests it wants to be read.
 */
export class StoreIndex {
  readonly #options: StoreIndexOptions;
  readonly #contents = new Map<string, HeldContent>();
  readonly #images = new Map<string, Image>();
  readonly #skipped = new Set<string>();
  readonly #texts = new Map<string, ManifestText>();
  /** By digest: the images whose targets lead there, and what those who point at it call it. */
  readonly #reachedBy = new Map<string, Set<Image>>();
  readonly #mediaTypes = new Map<string, string>();
  /** What anybody calls a manifest or an index. */
  readonly #parents = new Set<string>();
  readonly #unread = new Set<string>();
  readonly #unreadable: string[] = [];
  readonly #staleImages = new Set<Image>();
  readonly #touched = new Set<string>();
  readonly #touchedTags = new Set<string>();
  readonly #infos = new Map<string, ContentInfo>();
  readonly #tags = new Map<string, TagEntry>();

  constructor(options: StoreIndexOptions) {
    this.#options = options;
  }

  info(digest: string): ContentInfo | undefined {
    return this.#infos.get(digest);
  }

  tag(reference: string): TagEntry | undefined {
    return this.#tags.get(reference);
  }

  listing(): StoreListing {
    return { contents: [...this.#infos.values()], tags: [...this.#tags.values()] };
  }

  isPresent(digest: string): boolean {
    return this.#contents.has(digest);
  }

  /** Whether the content is present and no name of it is known. */
  isNameless(digest: string): boolean {
    const content = this.#contents.get(digest);
    return content !== undefined && content.names.length === 0 && !this.#reachedBy.has(digest);
  }

  setContent(content: HeldContent): void {
    const { digest } = content;
    const before = this.#contents.get(digest);
    this.#contents.set(digest, content);
    if (before?.sizeBytes === content.sizeBytes && isSameList(before.names, content.names)) return;
    this.#touch(digest);
    if (before === undefined) this.#want(digest);
  }

  removeContent(digest: string): void {
    if (!this.#contents.delete(digest)) return;
    this.#touch(digest);
    this.#unread.delete(digest);
    if (this.#texts.delete(digest)) this.#rewalk(digest);
  }

  /** Takes these for all there is. */
  replaceContents(contents: readonly HeldContent[]): void {
    const listed = new Set(contents.map(({ digest }) => digest));
    for (const digest of this.#contents.keys()) if (!listed.has(digest)) this.removeContent(digest);
    for (const content of contents) this.setContent(content);
    for (const digest of this.#unreadable.splice(0)) this.#want(digest);
  }

  setImage({ name: text, target, updatedAtUs }: ImageRecord): void {
    const name = readImageName(text);
    if (name === 'id') return;
    if (name === 'invalid') {
      if (!this.#skipped.has(text)) this.#options.onSkipped(text);
      this.#skipped.add(text);
      return;
    }
    const image = this.#images.get(text) ?? { target, updatedAtUs, name, reach: new Set() };
    const isKnown = this.#images.has(text);
    if (isKnown && image.target.digest === target.digest && image.updatedAtUs === updatedAtUs) return;
    if (!isKnown || image.target.digest !== target.digest) this.#staleImages.add(image);
    Object.assign(image, { target, updatedAtUs });
    this.#images.set(text, image);
    if (name.tag !== undefined) this.#touchedTags.add(name.tag);
  }

  removeImage(text: string): void {
    this.#skipped.delete(text);
    const image = this.#images.get(text);
    if (image === undefined) return;
    this.#images.delete(text);
    this.#forget(image);
  }

  replaceImages(images: readonly ImageRecord[]): void {
    const listed = new Set(images.map(({ name }) => name));
    for (const name of [...this.#images.keys(), ...this.#skipped]) if (!listed.has(name)) this.removeImage(name);
    for (const image of images) this.setImage(image);
  }

  /** Present manifests that image names lead to and whose text is wanted, each once. */
  takeUnread(): readonly HeldContent[] {
    this.#walkStale();
    const unread = [...this.#unread].map((digest) => this.#contents.get(digest));
    this.#unread.clear();
    return unread.filter((content) => content !== undefined);
  }

  setText(digest: string, text: ManifestText): void {
    if (!this.#contents.has(digest)) return;
    const children = [...new Map(text.children.map((child) => [child.digest, child])).values()];
    this.#texts.set(digest, { ...text, children: children.slice(0, this.#options.namesPerImageMax) });
    this.#touch(digest);
    this.#rewalk(digest);
  }

  /** The manifest could not be read: it is wanted again when all contents are known anew. */
  setUnreadable(digest: string): void {
    this.#unreadable.push(digest);
  }

  /** What the named images lead to and is not here, as far as is known. */
  missing(names: Iterable<string>): readonly string[] {
    this.#walkStale();
    const reached = [...names].flatMap((name) => [...(this.#images.get(name)?.reach ?? [])]);
    return [...new Set(reached)].filter((digest) => !this.#contents.has(digest));
  }

  /** Works out what has changed since the last call. */
  takeChanges(): readonly StoreChange[] {
    this.#walkStale();
    const removed: StoreChange[] = [];
    const added: StoreChange[] = [];
    for (const digest of this.#touched) this.#publish(digest, removed, added);
    for (const reference of this.#touchedTags) this.#publishTag(reference, removed, added);
    this.#touched.clear();
    this.#touchedTags.clear();
    return [...removed, ...added];
  }

  #publish(digest: string, removed: StoreChange[], added: StoreChange[]): void {
    const known = this.#infos.get(digest);
    const info = this.#infoOf(digest);
    if (info === undefined) {
      if (this.#infos.delete(digest)) removed.push({ type: 'content-removed', digest });
      return;
    }
    if (known !== undefined && isSame(known, info)) return;
    this.#infos.set(digest, info);
    added.push({ type: 'content-added', content: info });
  }

  /** The record of a tag has the tag's own reference for a name. */
  #publishTag(reference: string, removed: StoreChange[], added: StoreChange[]): void {
    const known = this.#tags.get(reference);
    const image = this.#images.get(reference);
    if (image === undefined || !this.#infos.has(image.target.digest)) {
      if (this.#tags.delete(reference)) removed.push({ type: 'tag-removed', reference });
      return;
    }
    const { target, updatedAtUs } = image;
    if (known?.digest === target.digest && known.resolvedAtUs === updatedAtUs) return;
    const tag = { reference, digest: target.digest, resolvedAtUs: updatedAtUs };
    this.#tags.set(reference, tag);
    added.push({ type: 'tag-set', tag });
  }

  #infoOf(digest: string): ContentInfo | undefined {
    const content = this.#contents.get(digest);
    if (content === undefined) return undefined;
    const reachedBy = this.#reachedBy.get(digest) ?? [];
    const imageNames = [...new Set([...reachedBy].map(({ name }) => name.name))].sort();
    // What the content says of itself goes before what others, who may be wrong, call it.
    const mediaType = this.#texts.get(digest)?.mediaType ?? this.#mediaTypes.get(digest);
    return {
      digest,
      sizeBytes: content.sizeBytes,
      names: imageNames.length > 0 ? imageNames : content.names,
      ...(mediaType === undefined ? {} : { mediaType }),
    };
  }

  /** A tag is there only with its content. */
  #touch(digest: string): void {
    this.#touched.add(digest);
    for (const { name, target } of this.#reachedBy.get(digest) ?? []) {
      if (name.tag !== undefined && target.digest === digest) this.#touchedTags.add(name.tag);
    }
  }

  #want(digest: string): void {
    const content = this.#contents.get(digest);
    if (content === undefined || content.sizeBytes > this.#options.manifestMaxBytes || this.#texts.has(digest)) return;
    if (this.#reachedBy.has(digest) && this.#parents.has(digest)) this.#unread.add(digest);
  }

  #rewalk(digest: string): void {
    for (const image of this.#reachedBy.get(digest) ?? []) this.#staleImages.add(image);
  }

  #forget(image: Image): void {
    this.#staleImages.delete(image);
    if (image.name.tag !== undefined) this.#touchedTags.add(image.name.tag);
    this.#setReach(image, new Set());
  }

  #walkStale(): void {
    const stale = [...this.#staleImages];
    this.#staleImages.clear();
    for (const image of stale) this.#setReach(image, this.#walk(image.target));
  }

  #walk(target: Pointer): ReadonlySet<string> {
    const reach = new Set<string>();
    // An array grows while it is walked: what the image's own documents name first comes first.
    const waiting = [target];
    const pointersMax = pointersPerName * this.#options.namesPerImageMax;
    for (const pointer of waiting) {
      const { digest, mediaType } = pointer;
      if (!isDigest(digest)) continue;
      // What is not among its contents is never forgotten with it, so nothing is noted of it.
      if (!reach.has(digest) && reach.size >= this.#options.namesPerImageMax) continue;
      if (mayHaveChildren(pointer)) this.#parents.add(digest);
      if (mediaType !== undefined && isMediaType(mediaType) && !this.#mediaTypes.has(digest))
        this.#mediaTypes.set(digest, mediaType);
      // Content may be pointed at twice, and hostile content could point at itself, at far too much, or at the same from every document.
      if (reach.has(digest)) continue;
      reach.add(digest);
      waiting.push(...(this.#texts.get(digest)?.children ?? []).slice(0, pointersMax - waiting.length));
    }
    return reach;
  }

  #setReach(image: Image, reach: ReadonlySet<string>): void {
    for (const digest of image.reach) {
      if (reach.has(digest)) continue;
      const images = this.#reachedBy.get(digest);
      images?.delete(image);
      if (images?.size === 0) {
        this.#reachedBy.delete(digest);
        this.#mediaTypes.delete(digest);
        this.#parents.delete(digest);
        this.#texts.delete(digest);
      }
      this.#touched.add(digest);
    }
    for (const digest of reach) {
      if (image.reach.has(digest)) continue;
      const images = this.#reachedBy.get(digest) ?? new Set();
      this.#reachedBy.set(digest, images.add(image));
      this.#touched.add(digest);
      this.#want(digest);
    }
    image.reach = reach;
  }
}

function isSame(one: ContentInfo, other: ContentInfo): boolean {
  return one.sizeBytes === other.sizeBytes && one.mediaType === other.mediaType && isSameList(one.names, other.names);
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}
