/** A running hash of everything that has happened, in order: two runs with the same hash were the same run. 64 bits, not cryptographic. */
export class TraceHash {
  #a = 0x811c9dc5;
  #b = 0x9e3779b1;
  #count = 0;

  /** Integers up to 2^53. */
  mix(value: number): void {
    const low = value | 0;
    const high = (value / 4_294_967_296) | 0;
    this.#a = Math.imul(this.#a ^ low, 0x01000193) ^ high;
    this.#b = (Math.imul(this.#b + low, 0x85ebca6b) ^ (this.#b >>> 13)) + high;
    this.#count += 1;
  }

  mixText(text: string): void {
    let hash = text.length;
    for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    this.mix(hash);
  }

  /** 16 hex digits. */
  digest(): string {
    const end = Math.imul(this.#count, 0xc2b2ae35);
    return hex(this.#a ^ end) + hex(this.#b ^ (end >>> 7));
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
