import { PeiliError } from '../errors.ts';
import type { Digester, RoutingKey } from '../ports/index.ts';

/** A place in Kademlia's key space: 32 bytes as eight big-endian words, so that distances are compared by words. */
export type Position = Uint32Array;

export const positionWords = 8;

const encoder = new TextEncoder();
const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const routingKeyPattern = /^[0-9a-f]{64}$/;
/** The multihash prefix of sha2-256: its code and its length (multiformats table). */
const multihashPrefix: readonly number[] = [0x12, 0x20];

/** The key under which a digest's or a tag reference's holders are kept. */
export function routingKeyOf(digester: Digester, text: string): RoutingKey {
  return hexOf(digester.hash('sha256', encoder.encode(text)));
}

/** Where a key lies: sha256 over its kad key, the 34-byte multihash (libp2p kad-dht). Throws `RECORDS_INVALID` for what is no key. */
export function positionOf(digester: Digester, key: RoutingKey): Position {
  checkRoutingKey(key);
  const multihash = new Uint8Array(34);
  multihash.set(multihashPrefix);
  for (let index = 0; index < 32; index += 1) {
    multihash[2 + index] = (nibbleOf(key, 2 * index) << 4) | nibbleOf(key, 2 * index + 1);
  }
  return wordsOf(digester.hash('sha256', multihash));
}

/** Positions of keys, remembered: an object is looked up, answered for and advertised under the same key. */
export function createPositions(digester: Digester, sizeMax: number): (key: RoutingKey) => Position {
  return remember((key) => positionOf(digester, key), sizeMax);
}

/** Keys of texts, remembered: a layer is asked for in many windows. */
export function createRoutingKeys(digester: Digester, sizeMax: number): (text: string) => RoutingKey {
  return remember((text) => routingKeyOf(digester, text), sizeMax);
}

function remember<T>(compute: (text: string) => T, sizeMax: number): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const cached = known.get(text);
    if (cached !== undefined) return cached;
    const value = compute(text);
    known.set(text, value);
    const oldest = known.keys().next();
    if (known.size > sizeMax && oldest.done !== true) known.delete(oldest.value);
    return value;
  };
}

/** A member's position as words. */
export function wordsOf(bytes: Uint8Array): Position {
  const words = new Uint32Array(positionWords);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let index = 0; index < positionWords; index += 1) words[index] = view.getUint32(4 * index);
  return words;
}

/** Throws `RECORDS_INVALID` for text that is no routing key: keys come from peers. */
export function checkRoutingKey(key: string): void {
  if (!routingKeyPattern.test(key)) {
    throw new PeiliError('RECORDS_INVALID', 'a routing key is 64 lower-case hex characters', { length: key.length });
  }
}

function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += hexOfByte[byte] ?? '';
  return text;
}

/** The value of one lower-case hex character. */
function nibbleOf(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code < codeOfA ? code - codeOfZero : code - codeOfA + 10;
}

const codeOfZero = 0x30;
const codeOfA = 0x61;
