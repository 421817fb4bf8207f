import { PeiliError } from '../../core/index.ts';

/** How many bytes of messages that have not arrived whole are kept, over all streams of a node. */
export interface HalfMessages {
  /** Throws `OVERLOADED` if that would be too many, and then counts nothing. */
  take(bytes: number): void;
  release(bytes: number): void;
  keptBytes(): number;
}

export function createHalfMessages(maxBytes: number): HalfMessages {
  let keptBytes = 0;
  return {
    take: (bytes) => {
      if (keptBytes + bytes > maxBytes) {
        throw new PeiliError('OVERLOADED', 'too many messages are arriving at once', { keptBytes, bytes, maxBytes });
      }
      keptBytes += bytes;
    },
    release: (bytes) => {
      keptBytes -= bytes;
    },
    keptBytes: () => keptBytes,
  };
}
