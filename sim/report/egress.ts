const stepsMax = 400;
const firstStepUs = 10_000;

/** Bytes over time in a bounded number of steps: when they get too many, two become one. */
export class Egress {
  #stepUs = firstStepUs;
  #bytes: number[] = [];

  /** Evenly over the time in which they came. */
  add(sinceUs: number, atUs: number, bytes: number): void {
    while (atUs >= this.#stepUs * stepsMax) this.#halve();
    const last = Math.floor(atUs / this.#stepUs);
    while (this.#bytes.length <= last) this.#bytes.push(0);
    let added = 0;
    for (let step = Math.floor(sinceUs / this.#stepUs); step <= last; step += 1) {
      const endUs = (step + 1) * this.#stepUs;
      const until = endUs >= atUs ? bytes : Math.floor((bytes * (endUs - sinceUs)) / (atUs - sinceUs));
      this.#bytes[step] = (this.#bytes[step] ?? 0) + until - added;
      added = until;
    }
  }

  record(): { readonly stepUs: number; readonly bytes: readonly number[] } {
    return { stepUs: this.#stepUs, bytes: this.#bytes };
  }

  #halve(): void {
    const before = this.#bytes;
    this.#stepUs *= 2;
    this.#bytes = Array.from(
      { length: Math.ceil(before.length / 2) },
      (_, index) => (before[2 * index] ?? 0) + (before[2 * index + 1] ?? 0),
    );
  }
}
