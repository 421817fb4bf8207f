import type { Chunk } from './body.ts';

export type DigestAlgorithm = 'sha256' | 'sha512';

/** Computes digests. The only place where the core meets a hash function. */
export interface Digester {
  /** Hashes a small message (a manifest, a routing key) at once: raw bytes of the hash. */
  hash(algorithm: DigestAlgorithm, message: Uint8Array): Uint8Array;
  /** Hashes a body as it passes. */
  stream(algorithm: DigestAlgorithm): DigestStream;
}

export interface DigestStream {
  /** Resolves when the chunk's bytes have been consumed: only then may its buffer be used again. */
  update(chunk: Chunk): Promise<void>;
  /** The digest as text, `sha256:<hex>`. The stream is finished after it. */
  finish(): Promise<string>;
  /** Gives up without a result. Idempotent; a pending update() or finish() settles, with `ABORTED` if it has no result. */
  cancel(): void;
}
