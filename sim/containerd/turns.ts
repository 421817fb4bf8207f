import { abortReason, onAbort } from '../../core/index.ts';

/** So many at once; the others wait in the order in which they came. */
export class Turns {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** Nobody has a turn and nobody waits for one. */
  isIdle(atOnce: number): boolean {
    return this.#free === atOnce && this.#waiting.size === 0;
  }

  /** Resolves with a turn, which its holder gives back once; rejects when the signal aborts before. */
  take(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(abortReason(signal));
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve(this.#turn());
    }
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        unhook();
        resolve(this.#turn());
      };
      const unhook = onAbort(signal, () => {
        this.#waiting.delete(begin);
        reject(abortReason(signal));
      });
      this.#waiting.add(begin);
    });
  }

  #turn(): () => void {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const [next] = this.#waiting;
      if (next === undefined) this.#free += 1;
      else {
        this.#waiting.delete(next);
        next();
      }
    };
  }
}
