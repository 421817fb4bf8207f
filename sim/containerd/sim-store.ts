import { PeiliError, throwIfAborted } from '../../core/index.ts';
import type { Body, Clock, ContentInfo, ContentStore, StoreChange, TagEntry } from '../../core/index.ts';
import type { Catalogue, SimContent } from '../content/catalogue.ts';
import type { Disk } from '../disk/disk.ts';
import { collectAfterUs } from './containerd-options.ts';
import { FileFaults } from './file-faults.ts';
import { Ingests } from './ingests.ts';
import { StoreBody } from './store-body.ts';
import { StoreView } from './store-view.ts';
import type { EventFault } from './store-view.ts';

export interface SimStoreDeps {
  readonly clock: Pick<Clock, 'schedule' | 'wallUs'>;
  readonly catalogue: Catalogue;
  /** @default all files are in memory */
  readonly disk?: Disk | undefined;
}

export interface SimStoreOptions {
  /** From a change to the moment when who follows the store has seen it. @default 0: at once */
  readonly noticedUs?: number;
  /** From a commit to the label that says where the content came from. @default 0 */
  readonly labelledUs?: number;
  /** What is read of a file in one step: what goes wrong with it meanwhile is met by the next one. @default all of it */
  readonly chunkBytes?: number;
}

interface Held {
  readonly content: SimContent;
  /** `registry/repository`, from labels. */
  readonly sources: Set<string>;
  info: ContentInfo;
}

/** While it is held, garbage collection leaves what was added to it. */
export interface Lease {
  add(digest: string): void;
  end(): void;
}

/** What a node's containerd holds. It outlives its mirror. */
export class SimStore implements ContentStore {
  readonly kind = 'containerd';
  readonly ingests = new Ingests();
  /** What goes wrong with its files. */
  readonly files = new FileFaults();
  readonly #deps: SimStoreDeps;
  readonly #options: Required<SimStoreOptions>;
  readonly #contents = new Map<string, Held>();
  readonly #tags = new Map<string, TagEntry>();
  /** By digest: the tags that lead there. */
  readonly #reachedBy = new Map<string, Set<string>>();
  readonly #leases = new Set<Set<string>>();
  readonly #onLost: ((digest: string) => void)[] = [];
  readonly #once = new Set<string>();
  readonly #bodies = new Set<symbol>();
  readonly #view: StoreView;
  #readBytesPerSecond: number | undefined;
  #isCollecting = false;

  constructor(deps: SimStoreDeps, { noticedUs = 0, labelledUs = 0, chunkBytes = Infinity }: SimStoreOptions = {}) {
    this.#deps = deps;
    this.#options = { noticedUs, labelledUs, chunkBytes };
    const truth = {
      info: (digest: string) => this.#contents.get(digest)?.info,
      tag: (reference: string) => this.#tags.get(reference),
    };
    this.#view = new StoreView(deps.clock, truth, noticedUs);
  }

  /** Content that has been committed; a pull's has a label that says where it came from, an import's has none. `name`: `registry/repository[:tag]`. */
  commit(content: SimContent, name?: string): void {
    const { digest } = content;
    const held = this.#contents.get(digest) ?? { content, sources: new Set(), info: infoOf(content, []) };
    this.#contents.set(digest, held);
    this.#once.add(digest);
    this.files.mend(digest);
    this.#rename(held);
    this.#view.touch(digest);
    if (name === undefined) return;
    const source = name.replace(/:[^:/]*$/, '');
    const label = (): void => {
      held.sources.add(source);
      this.#rename(held);
      this.#view.touch(digest);
    };
    if (this.#options.labelledUs === 0) label();
    else this.#deps.clock.schedule(this.#options.labelledUs, label);
  }

  /** A name that means this digest from now on. */
  setTag(reference: string, digest: string): void {
    const isKnown = this.#tags.get(reference)?.digest === digest;
    if (!isKnown) this.#untag(reference);
    this.#tags.set(reference, { reference, digest, resolvedAtUs: this.#deps.clock.wallUs() });
    this.#view.touchTag(reference);
    if (isKnown) return;
    this.#eachReached(digest, (reached) => {
      const tags = this.#reachedBy.get(reached);
      if (tags === undefined) this.#reachedBy.set(reached, new Set([reference]));
      else tags.add(reference);
    });
  }

  /** As `ctr image import`, or a tarball of k3s: content without labels, its names from the image's record alone. */
  importImage(reference: string, root: SimContent): void {
    for (const content of this.#deps.catalogue.reach(root)) this.commit(content);
    this.setTag(reference, root.digest);
  }

  /** What a tag means here, and since when. */
  tagOf(reference: string): TagEntry | undefined {
    return this.#tags.get(reference);
  }

  removeTag(reference: string): void {
    if (!this.#untag(reference)) return;
    this.#view.touchTag(reference);
  }

  /** As `crictl rmi`: the name is gone at once, what only it led to when garbage is collected. */
  removeImage(reference: string): void {
    this.removeTag(reference);
    this.collectSoon();
  }

  /** Calls back whenever content is removed, whatever the reason: who looks on from outside of the simulated world. */
  watchLosses(onLost: (digest: string) => void): void {
    this.#onLost.push(onLost);
  }

  remove(digest: string): void {
    if (!this.#contents.delete(digest)) return;
    for (const onLost of this.#onLost) onLost(digest);
    this.files.mend(digest);
    this.#deps.disk?.remove(digest);
    this.#view.touch(digest);
  }

  /** Its disk is another one. */
  clear(): void {
    for (const reference of this.#tags.keys()) this.removeTag(reference);
    for (const digest of this.#contents.keys()) this.remove(digest);
    this.ingests.clear();
  }

  has(digest: string): boolean {
    return this.#contents.has(digest);
  }

  /** As CRI's ImageStatus: a name that has its root here. */
  hasImage(reference: string): boolean {
    const tag = this.#tags.get(reference);
    return tag !== undefined && this.#contents.has(tag.digest);
  }

  /** Whether it has it, or has had it. */
  hadOnce(digest: string): boolean {
    return this.#once.has(digest);
  }

  /** Whether who follows it has noticed that it is there. */
  shows(digest: string): boolean {
    return this.#view.info(digest) !== undefined;
  }

  /** Bodies that are open. */
  pending(): number {
    return this.#bodies.size;
  }

  lease(): Lease {
    const digests = new Set<string>();
    this.#leases.add(digests);
    return {
      add: (digest) => void digests.add(digest),
      end: () => void this.#leases.delete(digests),
    };
  }

  /** Without names, leases and writers, content and ingests go a moment later. */
  collectSoon(): void {
    if (this.#isCollecting) return;
    this.#isCollecting = true;
    this.#deps.clock.schedule(collectAfterUs, () => {
      this.#isCollecting = false;
      this.#collect();
    });
  }

  /** One byte of its file is another one from now on. */
  corrupt(digest: string, atByte: number): void {
    this.files.corrupt(digest, atByte);
  }

  /** All files are read so slowly; undefined: as fast as the disk can. */
  slowReads(bytesPerSecond: number | undefined): void {
    this.#readBytesPerSecond = bytesPerSecond;
  }

  /** What goes wrong with events; undefined: nothing any more. */
  disturbEvents(fault: EventFault | undefined): void {
    this.#view.disturb(fault);
  }

  resolve(reference: string, signal: AbortSignal): ReturnType<ContentStore['resolve']> {
    return this.#answer(signal, () => this.#view.tag(reference));
  }

  info(digest: string, signal: AbortSignal): ReturnType<ContentStore['info']> {
    return this.#answer(signal, () => this.#view.info(digest));
  }

  open(digest: string, start: number, end: number, signal: AbortSignal): Promise<Body> {
    return this.#answer(signal, () => {
      const held = this.#view.info(digest) === undefined ? undefined : this.#contents.get(digest);
      if (held === undefined) throw new PeiliError('CONTENT_ABSENT', `${digest} is not here`);
      this.files.checkSize(held.content);
      const body = Symbol('body');
      this.#bodies.add(body);
      return new StoreBody({
        file: {
          // An open file stays what it is when its name goes; what happens to its bytes is met by who reads them.
          read: (from, to) =>
            this.files.read(held.content, this.#deps.catalogue.chunk(held.content, from, to), from, to),
          wait: (from, to) => this.#wait(held.content, to - from),
        },
        start,
        end,
        chunkBytes: this.#options.chunkBytes,
        signal,
        onEnded: () => {
          this.#bodies.delete(body);
        },
      });
    });
  }

  list(signal: AbortSignal): ReturnType<ContentStore['list']> {
    return this.#answer(signal, () => this.#view.listing());
  }

  watch(listener: (change: StoreChange) => void): () => void {
    return this.#view.watch(listener);
  }

  /** The mirror that watched is gone, without a farewell; its kernel has closed its files. */
  forgetListeners(): void {
    this.#bodies.clear();
    this.#view.forgetListeners();
  }

  #wait({ digest, sizeBytes }: SimContent, bytes: number): Promise<void> | undefined {
    const rate = this.#readBytesPerSecond;
    if (rate === undefined) return this.#deps.disk?.read(digest, sizeBytes, bytes);
    return new Promise((resolve) => {
      this.#deps.clock.schedule(Math.ceil((bytes * 1_000_000) / rate), resolve);
    });
  }

  #collect(): void {
    const kept = new Set<string>();
    for (const leased of this.#leases) for (const digest of leased) kept.add(digest);
    for (const digest of this.#contents.keys())
      if (!kept.has(digest) && !this.#reachedBy.has(digest)) this.remove(digest);
    this.ingests.collect();
  }

  #untag(reference: string): boolean {
    const tag = this.#tags.get(reference);
    if (tag === undefined) return false;
    this.#tags.delete(reference);
    this.#eachReached(tag.digest, (reached) => {
      const tags = this.#reachedBy.get(reached);
      tags?.delete(reference);
      if (tags?.size === 0) this.#reachedBy.delete(reached);
    });
    return true;
  }

  /** Calls back for each content that a digest leads to, present or not; then its names are as they are now. */
  #eachReached(root: string, onReached: (digest: string) => void): void {
    const content = this.#deps.catalogue.find(root);
    const digests = content === undefined ? [root] : this.#deps.catalogue.reach(content).map(({ digest }) => digest);
    for (const digest of digests) {
      onReached(digest);
      const held = this.#contents.get(digest);
      if (held === undefined) continue;
      this.#rename(held);
      this.#view.touch(digest);
    }
  }

  /** Names of images go before those of labels. */
  #rename(held: Held): void {
    const tags = this.#reachedBy.get(held.content.digest);
    const names = [...(tags ?? held.sources)].toSorted();
    const before = held.info.names;
    if (names.length === before.length && names.every((name, index) => name === before[index])) return;
    held.info = infoOf(held.content, names);
  }

  async #answer<T>(signal: AbortSignal, look: () => T): Promise<T> {
    throwIfAborted(signal);
    await Promise.resolve();
    throwIfAborted(signal);
    return look();
  }
}

function infoOf({ digest, sizeBytes, mediaType }: SimContent, names: readonly string[]): ContentInfo {
  return { digest, sizeBytes, mediaType, names };
}
