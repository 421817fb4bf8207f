import { Worker } from 'node:worker_threads';
import { abortedError } from '../../core/index.ts';
import type { DigestAlgorithm } from '../../core/index.ts';
import { runDigestWorker } from './digest-worker.ts';
import type { DigestMessage, DigestReply } from './digest-worker.ts';

/** One body's hash, computed elsewhere. One call at a time. */
export interface ThreadedHash {
  /** Resolves when the bytes have been read. */
  update(bytes: Uint8Array): Promise<void>;
  /** The hash as hexadecimal text. */
  finish(): Promise<string>;
  cancel(): void;
}

export interface DigestThread {
  open(algorithm: DigestAlgorithm): ThreadedHash;
  dispose(): Promise<void>;
  /** Hashes neither finished nor cancelled. */
  pending(): number;
}

interface Waiter {
  readonly resolve: (hex: string) => void;
  readonly reject: (reason: Error) => void;
}

/** One worker, started when first needed; it holds the process only while somebody waits for it. */
export function createDigestThread(): DigestThread {
  const open = new Set<number>();
  const waiters = new Map<number, Waiter>();
  const state: { worker: Worker | undefined; nextId: number } = { worker: undefined, nextId: 1 };

  const settle = (id: number, settleWaiter: (waiter: Waiter) => void): void => {
    const waiter = waiters.get(id);
    if (waiter === undefined) return;
    waiters.delete(id);
    if (waiters.size === 0) state.worker?.unref();
    settleWaiter(waiter);
  };

  const onDeath = (worker: Worker, reason: Error): void => {
    if (state.worker !== worker) return;
    state.worker = undefined;
    open.clear();
    for (const id of waiters.keys())
      settle(id, (waiter) => {
        waiter.reject(reason);
      });
  };

  const start = (): Worker => {
    // The worker's source travels as text, so that a bundle needs no second file.
    const source = `(${runDigestWorker.toString()})(require('node:worker_threads').parentPort, require('node:crypto').createHash)`;
    const worker = new Worker(source, { eval: true });
    worker.on('message', (reply: DigestReply) => {
      settle(reply.id, (waiter) => {
        waiter.resolve(reply.hex);
      });
    });
    worker.on('error', (error) => {
      onDeath(worker, error instanceof Error ? error : new Error(String(error)));
    });
    worker.on('exit', () => {
      onDeath(worker, new Error('the hashing thread has ended'));
    });
    worker.unref();
    return worker;
  };

  const ask = (message: DigestMessage, transfer: readonly ArrayBuffer[] = []): Promise<string> => {
    const { worker } = state;
    if (worker === undefined || !open.has(message.id)) return Promise.reject(abortedError());
    return new Promise((resolve, reject) => {
      waiters.set(message.id, { resolve, reject });
      worker.ref();
      worker.postMessage(message, transfer);
    });
  };

  const openHash = (algorithm: DigestAlgorithm): ThreadedHash => {
    const id = state.nextId;
    state.nextId += 1;
    state.worker ??= start();
    open.add(id);
    return {
      update: async (bytes) => {
        if (bytes.buffer instanceof SharedArrayBuffer) {
          await ask({ type: 'update', id, algorithm, bytes });
          return;
        }
        // A view would be cloned with all of its buffer: the copy is of these bytes alone, and moves.
        const copy = Uint8Array.from(bytes);
        await ask({ type: 'update', id, algorithm, bytes: copy }, [copy.buffer]);
      },
      finish: async () => {
        const hex = await ask({ type: 'finish', id, algorithm });
        open.delete(id);
        return hex;
      },
      cancel: () => {
        if (!open.delete(id)) return;
        state.worker?.postMessage({ type: 'cancel', id } satisfies DigestMessage);
        settle(id, (waiter) => {
          waiter.reject(abortedError());
        });
      },
    };
  };

  const dispose = async (): Promise<void> => {
    const { worker } = state;
    if (worker === undefined) return;
    onDeath(worker, abortedError());
    await worker.terminate();
  };

  return { open: openHash, dispose, pending: () => open.size };
}
