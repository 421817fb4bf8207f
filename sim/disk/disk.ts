import type { Kernel } from '../kernel/kernel.ts';
import type { FlowNetwork } from '../network/flow-network.ts';
import type { Link } from '../network/link.ts';
import { PageCache } from './page-cache.ts';

export interface DiskSpec {
  /** All that it reads and writes in a second. */
  readonly bytesPerSecond: number;
  /** What a flush takes besides its bytes. */
  readonly flushUs: number;
  /** What memory keeps of files that were read or written lately. */
  readonly pageCacheBytes: number;
  /** What may wait to be written; who writes more waits with it (`vm.dirty_ratio`). */
  readonly dirtyBytesMax: number;
}

/**
 * One machine's disk, a single budget of bytes a second for all that goes to it and comes from it: writes wait in memory and leave it in their order, a flush waits for
 * its own, reads of what memory has cost nothing.
 */
export class Disk {
  readonly link: Link;
  readonly #kernel: Kernel;
  readonly #flows: FlowNetwork;
  readonly #spec: DiskSpec;
  readonly #cache: PageCache;
  /** Bytes that were given to it, and those that it has written. */
  #given = 0;
  #written = 0;
  #isWriting = false;
  /** By file: where its last byte stands among all that were given. */
  readonly #ends = new Map<string, number>();
  #waiting: { readonly until: number; readonly resolve: () => void }[] = [];

  constructor(kernel: Kernel, flows: FlowNetwork, name: string, spec: DiskSpec) {
    this.#kernel = kernel;
    this.#flows = flows;
    this.#spec = spec;
    this.#cache = new PageCache(spec.pageCacheBytes);
    this.link = flows.addLink(`${name} disk`, spec.bytesPerSecond);
  }

  /** Bytes that wait to be written. */
  get dirtyBytes(): number {
    return this.#given - this.#written;
  }

  /** How fast it is from now on; undefined: as at first. */
  setRate(bytesPerSecond: number | undefined): void {
    this.#flows.setRate(this.link, bytesPerSecond ?? this.#spec.bytesPerSecond);
  }

  /** More bytes of a file. Undefined while memory takes them; else it resolves when it does. */
  write(file: string, bytes: number): Promise<void> | undefined {
    this.#given += bytes;
    this.#ends.set(file, this.#given);
    this.#cache.add(file, bytes);
    this.#goOn();
    return this.#writtenUpTo(this.#given - this.#spec.dirtyBytesMax);
  }

  /** Resolves when all bytes of the file are written: fsync. */
  async sync(file: string): Promise<void> {
    const until = this.#ends.get(file);
    if (until === undefined) return;
    this.#ends.delete(file);
    await this.#writtenUpTo(until);
    await new Promise<void>((resolve) => {
      this.#kernel.schedule(this.#spec.flushUs, resolve);
    });
  }

  /** Undefined where memory has the file; else it resolves when so many bytes have been read, which memory keeps. */
  read(file: string, sizeBytes: number, bytes: number): Promise<void> | undefined {
    if (this.#cache.has(file, sizeBytes)) return undefined;
    this.#cache.add(file, bytes);
    return new Promise((resolve) => {
      this.#move(bytes, Infinity, () => undefined, resolve);
    });
  }

  /** The file is gone: memory forgets it too. */
  remove(file: string): void {
    this.#cache.remove(file);
    this.#ends.delete(file);
  }

  /** As after `echo 3 > drop_caches` or a restart of the machine: all reads are cold. */
  dropCache(): void {
    this.#cache.clear();
  }

  #writtenUpTo(until: number): Promise<void> | undefined {
    if (until <= this.#written) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push({ until, resolve });
    });
  }

  #goOn(): void {
    const bytes = this.dirtyBytes;
    if (this.#isWriting || bytes === 0) return;
    this.#isWriting = true;
    this.#move(
      bytes,
      flushLookUs,
      (moved) => {
        this.#written += moved;
        this.#settle();
      },
      () => {
        this.#isWriting = false;
        this.#goOn();
      },
    );
  }

  #settle(): void {
    const isDone = ({ until }: { readonly until: number }): boolean => until <= this.#written;
    for (const { until, resolve } of this.#waiting) if (until <= this.#written) resolve();
    this.#waiting = this.#waiting.filter((waiting) => !isDone(waiting));
  }

  #move(bytes: number, lookUs: number, onMoved: (bytes: number) => void, onDone: () => void): void {
    const flow = this.#flows.open([this.link]);
    const go = (left: number): void => {
      flow.want(left, lookUs, (moved) => {
        onMoved(moved);
        if (moved < left) go(left - moved);
        else {
          flow.close();
          onDone();
        }
      });
    };
    go(bytes);
  }
}

/** How often whoever waits for a flush may see that enough has been written. */
const flushLookUs = 20_000;
