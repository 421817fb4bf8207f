/**
 * A running hash of everything that has happened, in order: two runs with the same hash were the same run. 64 bits, not cryptographic.
 *
 * Values are plain: what tells a live object from another is for its caller to say, as a text.
 */
export class TraceHash {
  #a = 0x811c9dc5 | 0;
  #b = 0x9e3779b1 | 0;
  #count = 0;
  /** Most long texts come again and again: targets, digests. Short ones are hashed sooner than they are found. */
  readonly #texts = new Map<string, number>();

  /** The first half of what `digest()` would say: enough to see where two runs part. */
  get state(): number {
    return this.#a;
  }

  /** What every event of the kernel is told by. */
  mixEvent(atUs: number, sequence: number): void {
    this.mix(atUs);
    this.mix(sequence);
  }

  /** Integers up to 2^53. */
  mix(value: number): void {
    const low = value | 0;
    const high = (value / 4_294_967_296) | 0;
    this.#a = (Math.imul(this.#a ^ low, 0x01000193) + high) | 0;
    this.#a ^= this.#a >>> 15;
    this.#b = (Math.imul(this.#b + low, 0x85ebca6b) ^ (this.#b >>> 13)) + high;
    this.#count += 1;
  }

  mixText(text: string): void {
    if (text.length < longText) {
      this.mix(hashOf(text));
      return;
    }
    let hash = this.#texts.get(text);
    if (hash === undefined) {
      hash = hashOf(text);
      if (this.#texts.size < textsMax) this.#texts.set(text, hash);
    }
    this.mix(hash);
  }

  /** Any plain value: with the names of its fields, in their order. */
  mixValue(value: unknown): void {
    switch (typeof value) {
      case 'number':
        if (Number.isSafeInteger(value)) this.mix(value);
        else this.mixText(String(value));
        return;
      case 'string':
        this.mixText(value);
        return;
      case 'object':
        if (value === null) this.mix(nullCode);
        else this.#mixFields(value);
        return;
      case 'boolean':
        this.mix(value ? trueCode : falseCode);
        return;
      case 'undefined':
        this.mix(undefinedCode);
        return;
      default:
        this.mixText(String(value));
    }
  }

  /** 16 hex digits. */
  digest(): string {
    const end = Math.imul(this.#count, 0xc2b2ae35);
    return hex(this.#a ^ end) + hex(this.#b ^ (end >>> 7));
  }

  #mixFields(value: object): void {
    this.mix(openCode);
    // A third of the time that a list of its names would take: plain values inherit none.
    for (const name in value) {
      this.mix(codeOf(name));
      this.mixValue((value as Readonly<Record<string, unknown>>)[name]);
    }
    this.mix(closeCode);
  }
}

const longText = 48;
/** Bounds the memory of runs with many different texts. */
const textsMax = 16_384;

// What is no number must not look like a likely one.
const nullCode = 0x6e756c6c;
const undefinedCode = 0x756e6466;
const trueCode = 0x74727565;
const falseCode = 0x66616c73;
const openCode = 0x7b7b7b7b;
const closeCode = 0x7d7d7d7d;

/** Tells the names of fields well enough: by their length, their first and their last letter. */
function codeOf(name: string): number {
  const last = name.length - 1;
  return (name.length << 16) ^ (name.charCodeAt(0) << 8) ^ name.charCodeAt(last < 0 ? 0 : last);
}

function hashOf(text: string): number {
  let hash = text.length;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash ^ (hash >>> 16);
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
