import type { Digester } from '../ports/index.ts';

const wordMask = 0xffffffff;
const roundConstants = fractionalBits(64, 3);
const initialState = fractionalBits(8, 2);

/** sha256 of small messages in plain TypeScript (FIPS 180-4), so that the core's tests need no platform. Slow: thousands of keys, not blobs. */
export function createSha256Digester(): Digester {
  return {
    hash: (algorithm, message) => {
      if (algorithm !== 'sha256') throw new Error(`${algorithm} is not among the memory digester's algorithms`);
      return sha256(message);
    },
    stream: () => {
      throw new Error('the memory digester hashes small messages only');
    },
  };
}

export function sha256(message: Uint8Array): Uint8Array {
  const state = Uint32Array.from(initialState);
  const padded = new Uint8Array(64 * Math.ceil((message.length + 9) / 64));
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, 8 * message.length);
  for (let offset = 0; offset < padded.length; offset += 64) compress(state, view, offset);
  const hash = new Uint8Array(32);
  const out = new DataView(hash.buffer);
  state.forEach((word, index) => {
    out.setUint32(4 * index, word);
  });
  return hash;
}

function compress(state: Uint32Array, view: DataView, offset: number): void {
  const schedule = new Uint32Array(64);
  const at = (index: number): number => schedule[index] ?? 0;
  for (let index = 0; index < 16; index += 1) schedule[index] = view.getUint32(offset + 4 * index);
  for (let index = 16; index < 64; index += 1) {
    const low = rotated(at(index - 15), 7) ^ rotated(at(index - 15), 18) ^ (at(index - 15) >>> 3);
    const high = rotated(at(index - 2), 17) ^ rotated(at(index - 2), 19) ^ (at(index - 2) >>> 10);
    schedule[index] = at(index - 16) + low + at(index - 7) + high;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let index = 0; index < 64; index += 1) {
    const choice = (e & f) ^ (~e & g);
    const upper = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const first = (h + upper + choice + (roundConstants[index] ?? 0) + at(index)) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => {
    state[index] = (state[index] ?? 0) + word;
  });
}

function rotated(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** The first 32 bits of the fractional parts of the roots of the first primes, which is where the standard takes its constants from. */
function fractionalBits(count: number, root: 2 | 3): readonly number[] {
  const bits: number[] = [];
  for (let candidate = 2; bits.length < count; candidate += 1) {
    if (isPrime(candidate))
      bits.push(Number(integerRoot(BigInt(candidate) << BigInt(32 * root), root) & BigInt(wordMask)));
  }
  return bits;
}

function integerRoot(value: bigint, root: 2 | 3): bigint {
  let low = 0n;
  let high = 1n << 48n;
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (middle ** BigInt(root) <= value) low = middle;
    else high = middle - 1n;
  }
  return low;
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) if (candidate % divisor === 0) return false;
  return true;
}
