/** What memory keeps of files: those that were touched lately, up to so many bytes in all. */
export class PageCache {
  readonly #bytesMax: number;
  /** The one that was touched last stands last. */
  readonly #files = new Map<string, number>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether all of the file is there; it counts as touched. */
  has(file: string, sizeBytes: number): boolean {
    const bytes = this.#files.get(file);
    if (bytes === undefined) return false;
    this.#files.delete(file);
    this.#files.set(file, bytes);
    return bytes >= sizeBytes;
  }

  /** More of the file was read or written. What does not fit drives out what was not touched for longest. */
  add(file: string, bytes: number): void {
    const all = (this.#files.get(file) ?? 0) + bytes;
    this.#files.delete(file);
    this.#files.set(file, all);
    this.#bytes += bytes;
    for (const [oldest, oldestBytes] of this.#files) {
      if (this.#bytes <= this.#bytesMax) return;
      // Of the file itself what does not fit is lost again.
      const lost = oldest === file ? this.#bytes - this.#bytesMax : oldestBytes;
      this.#bytes -= lost;
      if (lost < oldestBytes) this.#files.set(oldest, oldestBytes - lost);
      else this.#files.delete(oldest);
    }
  }

  remove(file: string): void {
    this.#bytes -= this.#files.get(file) ?? 0;
    this.#files.delete(file);
  }

  clear(): void {
    this.#files.clear();
    this.#bytes = 0;
  }
}
