import { hash } from 'node:crypto';
import { peerIdFromMultihash, peerIdFromString } from '@libp2p/peer-id';
import * as Digest from 'multiformats/hashes/digest';
import { invalidMessage } from './wire.ts';

/** Peer ids in their two forms. Conversions are remembered: base58 costs more than the rest of a lookup. */
export interface PeerIds {
  /** Throws `RECORDS_INVALID` when it is no peer id. */
  toText(bytes: Uint8Array): string;
  /** Throws `RECORDS_INVALID` when it is no peer id. */
  toBytes(text: string): Uint8Array;
}

export function createPeerIds(remembered: number): PeerIds {
  const texts = new Map<string, string>();
  const binaries = new Map<string, Uint8Array>();
  const remember = (text: string, bytes: Uint8Array): void => {
    if (texts.size >= remembered) {
      texts.clear();
      binaries.clear();
    }
    texts.set(Buffer.from(bytes).toString('latin1'), text);
    binaries.set(text, bytes);
  };
  return {
    toText: (bytes) => {
      const known = texts.get(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
      if (known !== undefined) return known;
      const text = attempt(() => peerIdFromMultihash(Digest.decode(bytes)).toString());
      remember(text, bytes.slice());
      return text;
    },
    toBytes: (text) => {
      const known = binaries.get(text);
      if (known !== undefined) return known;
      const { bytes } = attempt(() => peerIdFromString(text).toMultihash());
      remember(text, bytes);
      return bytes;
    },
  };
}

/** Kademlia's place of a peer id: sha256 of its bytes. */
export function positionOf(peerIdBytes: Uint8Array): Uint8Array {
  return Uint8Array.from(hash('sha256', peerIdBytes, 'buffer'));
}

/** Negative when `a` is nearer to `target` than `b` is (XOR metric). */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < target.byteLength; index += 1) {
    const byte = target[index] ?? 0;
    const difference = ((a[index] ?? 0) ^ byte) - ((b[index] ?? 0) ^ byte);
    if (difference !== 0) return difference;
  }
  return 0;
}

function attempt<T>(convert: () => T): T {
  try {
    return convert();
  } catch {
    throw invalidMessage('not a peer id');
  }
}
