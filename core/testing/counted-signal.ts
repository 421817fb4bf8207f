import { abortedError } from '../abort.ts';

/** A client's cancellation that knows who still listens to it. */
export interface CountedSignal {
  readonly signal: AbortSignal;
  abort(): void;
  /** Listeners that were added and neither removed nor called. */
  listeners(): number;
}

export function createCountedSignal(): CountedSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  const counted = {
    addEventListener: (...args: Parameters<AbortSignal['addEventListener']>) => {
      listeners.add(args[1]);
      add(...args);
    },
    removeEventListener: (...args: Parameters<AbortSignal['removeEventListener']>) => {
      listeners.delete(args[1]);
      remove(...args);
    },
  };
  Object.assign(signal, counted);
  return {
    signal,
    abort: () => {
      controller.abort(abortedError());
      listeners.clear();
    },
    listeners: () => listeners.size,
  };
}
