const stepsMax = 400;
const firstStepUs = 10_000;

/** Bytes over time in a bounded number of steps: when they get too many, two become one. */
export class Egress {
  #stepUs = firstStepUs;
  #bytes: number[] = [];

  add(atUs: number, bytes: number): void {
    while (atUs >= this.#stepUs * stepsMax) this.#halve();
    const step = Math.floor(atUs / this.#stepUs);
    while (this.#bytes.length <= step) this.#bytes.push(0);
    this.#bytes[step] = (this.#bytes[step] ?? 0) + bytes;
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
