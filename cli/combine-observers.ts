import type { Observer } from '../core/index.ts';

/** One observer that tells several, in order. */
export function combineObservers(...observers: readonly Observer[]): Observer {
  return {
    onPull: (event) => {
      for (const observer of observers) observer.onPull(event);
    },
    onNode: (event) => {
      for (const observer of observers) observer.onNode(event);
    },
  };
}
