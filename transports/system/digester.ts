import { createHash } from 'node:crypto';
import type { DigestAlgorithm, Digester, DigestStream } from '../../core/index.ts';
import { createDigestThread } from './digest-thread.ts';

export interface SystemDigester extends Digester {
  /** Ends the hashing thread. Streams that are not finished reject. Idempotent; a later stream starts another thread. */
  dispose(): Promise<void>;
  /** Streams neither finished nor cancelled: zero when everything is at rest. */
  pending(): number;
}

/**
 * Small messages are hashed at once, bodies in a thread of their own: it is started by the first body, and never keeps the process alive by itself.
 * Chunks over a SharedArrayBuffer (the buffer pool's are) are read where they lie, others are copied.
 */
export function createDigester(): SystemDigester {
  const thread = createDigestThread();
  return {
    hash: (algorithm, message) => createHash(algorithm).update(message).digest(),
    stream: (algorithm) => openStream(algorithm),
    dispose: thread.dispose,
    pending: thread.pending,
  };

  function openStream(algorithm: DigestAlgorithm): DigestStream {
    const hash = thread.open(algorithm);
    return {
      update: (chunk) => {
        if (!(chunk instanceof Uint8Array))
          return Promise.reject(new TypeError('this digester hashes bytes, not symbols'));
        return hash.update(chunk);
      },
      finish: async () => `${algorithm}:${await hash.finish()}`,
      cancel: hash.cancel,
    };
  }
}
