import type { createHash, Hash } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type { DigestAlgorithm } from '../../core/index.ts';

export type DigestMessage =
  | { readonly type: 'update'; readonly id: number; readonly algorithm: DigestAlgorithm; readonly bytes: Uint8Array }
  | { readonly type: 'finish'; readonly id: number; readonly algorithm: DigestAlgorithm }
  | { readonly type: 'cancel'; readonly id: number };

/** The answer to `update` and to `finish`; `hex` is empty after `update`. */
export interface DigestReply {
  readonly id: number;
  readonly hex: string;
}

/** Runs in the hashing thread. It is sent there as text: it may use its parameters, and nothing else of this file. */
export function runDigestWorker(port: MessagePort, hashOf: typeof createHash): void {
  const hashes = new Map<number, Hash>();
  const answer = (message: DigestMessage): string | undefined => {
    if (message.type === 'cancel') {
      hashes.delete(message.id);
      return undefined;
    }
    const hash = hashes.get(message.id) ?? hashOf(message.algorithm);
    if (message.type === 'update') {
      hashes.set(message.id, hash.update(message.bytes));
      return '';
    }
    hashes.delete(message.id);
    return hash.digest('hex');
  };
  port.on('message', (message: DigestMessage) => {
    const hex = answer(message);
    if (hex !== undefined) port.postMessage({ id: message.id, hex } satisfies DigestReply);
  });
}
