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

interface Running {
  readonly worker: Worker;
  readonly open: Set<number>;
  readonly waiters: Map<number, Waiter>;
}

/** One worker, started when first needed; it holds the process only while somebody waits for it. */
export function createDigestThread(): DigestThread {
  const state: { running: Running | undefined; nextId: number } = { running: undefined, nextId: 1 };

  const start = (): Running => {
    const running: Running = { worker: startWorker(), open: new Set(), waiters: new Map() };
    const onEnd = (reason: Error): void => {
      if (state.running === running) state.running = undefined;
      end(running, reason);
    };
    running.worker.on('message', ({ id, hex }: DigestReply) => {
      takeWaiter(running, id)?.resolve(hex);
    });
    running.worker.on('error', (error) => {
      onEnd(error instanceof Error ? error : new Error(String(error)));
    });
    running.worker.on('exit', () => {
      onEnd(new Error('the hashing thread has ended'));
    });
    return running;
  };

  const openHash = (algorithm: DigestAlgorithm): ThreadedHash => {
    const id = state.nextId;
    state.nextId += 1;
    state.running ??= start();
    state.running.open.add(id);
    return createHashIn(state.running, id, algorithm);
  };

  const dispose = async (): Promise<void> => {
    const { running } = state;
    if (running === undefined) return;
    state.running = undefined;
    end(running, abortedError());
    await running.worker.terminate();
  };

  return { open: openHash, dispose, pending: () => state.running?.open.size ?? 0 };
}

function createHashIn(running: Running, id: number, algorithm: DigestAlgorithm): ThreadedHash {
  const finish = async (): Promise<string> => {
    const hex = await ask(running, { type: 'finish', id, algorithm });
    running.open.delete(id);
    return hex;
  };
  const update = async (bytes: Uint8Array): Promise<void> => {
    if (bytes.buffer instanceof SharedArrayBuffer) {
      await ask(running, { type: 'update', id, algorithm, bytes });
      return;
    }
    // A view would be cloned with all of its buffer: the copy is of these bytes alone, and moves.
    const copy = Uint8Array.from(bytes);
    await ask(running, { type: 'update', id, algorithm, bytes: copy }, [copy.buffer]);
  };
  const cancel = (): void => {
    if (!running.open.delete(id)) return;
    running.worker.postMessage({ type: 'cancel', id } satisfies DigestMessage);
    takeWaiter(running, id)?.reject(abortedError());
  };
  return { update, finish, cancel };
}

function startWorker(): Worker {
  // The worker's source travels as text, so that a bundle needs no second file.
  const source = `(${runDigestWorker.toString()})(require('node:worker_threads').parentPort, require('node:crypto').createHash)`;
  const worker = new Worker(source, { eval: true });
  worker.unref();
  return worker;
}

function ask(running: Running, message: DigestMessage, transfer: readonly ArrayBuffer[] = []): Promise<string> {
  if (!running.open.has(message.id)) return Promise.reject(abortedError());
  return new Promise((resolve, reject) => {
    running.waiters.set(message.id, { resolve, reject });
    running.worker.ref();
    running.worker.postMessage(message, transfer);
  });
}

function takeWaiter({ worker, waiters }: Running, id: number): Waiter | undefined {
  const waiter = waiters.get(id);
  waiters.delete(id);
  if (waiters.size === 0) worker.unref();
  return waiter;
}

function end(running: Running, reason: Error): void {
  running.open.clear();
  for (const id of running.waiters.keys()) takeWaiter(running, id)?.reject(reason);
}
