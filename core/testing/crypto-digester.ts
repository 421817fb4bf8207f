import { createHash } from 'node:crypto';
import { abortedError } from '../abort.ts';
import type { Chunk, Digester } from '../ports/index.ts';

/** Real digests for tests. `open()` counts streams that were neither finished nor cancelled; `delayUs` makes hashing slow. */
export interface CryptoDigester extends Digester {
  open(): number;
}

export function createCryptoDigester(delay: () => Promise<void> = () => Promise.resolve()): CryptoDigester {
  const open = new Set<object>();
  return {
    open: () => open.size,
    hash: (algorithm, message) => createHash(algorithm).update(message).digest(),
    stream: (algorithm) => {
      const stream = {};
      const hash = createHash(algorithm);
      open.add(stream);
      return {
        update: async (chunk) => {
          await delay();
          if (!open.has(stream)) throw abortedError();
          hash.update(bytesOf(chunk));
        },
        finish: async () => {
          await delay();
          if (!open.delete(stream)) throw abortedError();
          return `${algorithm}:${hash.digest('hex')}`;
        },
        cancel: () => void open.delete(stream),
      };
    },
  };
}

/** A chunk's bytes, where a test knows that they are bytes. */
export function bytesOf(chunk: Chunk): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new Error('this chunk is no bytes');
}
