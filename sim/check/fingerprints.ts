/** One number for each thing that happened in a run, in order: 4 bytes each. */
export class Fingerprints {
  readonly #pages: Int32Array[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(fingerprint: number): void {
    const place = this.#count % pageEntries;
    if (place === 0) this.#pages.push(new Int32Array(pageEntries));
    const page = this.#pages.at(-1);
    if (page !== undefined) page[place] = fingerprint;
    this.#count += 1;
  }

  /** Undefined behind the end. */
  at(index: number): number | undefined {
    return index < this.#count ? this.#pages[Math.floor(index / pageEntries)]?.[index % pageEntries] : undefined;
  }
}

const pageEntries = 65_536;
