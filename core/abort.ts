import { PeiliError } from './errors.ts';
import type { Clock } from './ports/index.ts';

/** What every cancelled call rejects with. */
export function abortedError(): PeiliError {
  return new PeiliError('ABORTED', 'the call was cancelled');
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortReason(signal);
}

/** The signal's reason if it is ours (a time-out's, say), else ABORTED. */
export function abortReason(signal: AbortSignal): PeiliError {
  return signal.reason instanceof PeiliError ? signal.reason : abortedError();
}

/** Calls back once when the signal aborts, at once if it has. The returned function takes that back; idempotent. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  signal.addEventListener('abort', callback, { once: true });
  return () => {
    signal.removeEventListener('abort', callback);
  };
}

/** A cancellation inside another: aborted with its parent or alone. */
export class Scope {
  readonly #controller = new AbortController();
  #release: (() => void) | undefined;
  /** Told before anybody who listens to the signal, and at less cost than a listener. */
  onAbort: ((reason: PeiliError) => void) | undefined;

  constructor(parent?: AbortSignal) {
    if (parent === undefined) return;
    this.#release = onAbort(parent, () => {
      this.abort(abortReason(parent));
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: PeiliError = endedError): void {
    if (this.signal.aborted) return;
    this.onAbort?.(reason);
    this.#controller.abort(reason);
  }

  /** Lets go of the parent. */
  close(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

/** Made once: every body ends its scope, most often with nobody left in it, and a stack is dear and says nothing here. */
const endedError = abortedError();

/** `parent` undefined: it is aborted alone. */
export function openScope(parent?: AbortSignal): Scope {
  return new Scope(parent);
}

/**
 * Runs `call` with a signal that aborts after `timeoutUs` with `timeoutError`, or with the parent.
 * Rejects as soon as the signal aborts, even if `call` does not notice; leaves no timer and no listener.
 */
export function withDeadline<T>(
  clock: Clock,
  timeoutUs: number,
  parent: AbortSignal,
  timeoutError: () => PeiliError,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return endWithin(openScope(parent), clock, timeoutUs, timeoutError, call);
}

/** As `withDeadline()`, in a scope of the caller's, which is closed when the call ends. */
export function endWithin<T>(
  scope: Scope,
  clock: Clock,
  timeoutUs: number,
  timeoutError: () => PeiliError,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const { signal } = scope;
    const timer = clock.schedule(timeoutUs, () => {
      scope.abort(timeoutError());
    });
    const end = (): void => {
      timer.cancel();
      scope.onAbort = undefined;
      scope.close();
    };
    const fail = (error: unknown): void => {
      end();
      reject(error);
    };
    if (signal.aborted) fail(abortReason(signal));
    else scope.onAbort = fail;
    try {
      call(signal).then((result) => {
        end();
        resolve(result);
      }, fail);
    } catch (error) {
      fail(error);
    }
  });
}

/** The promise's result, or the signal's abort if that comes first. */
export async function settleOrAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let release: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    release = onAbort(signal, () => {
      reject(abortReason(signal));
    });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    release();
  }
}
