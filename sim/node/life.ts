import type { Timer } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';

/** One run of a program, from its start to its end. What it had planned does not happen once it is over: no promise of it settles. */
export class Life {
  readonly #kernel: Kernel;
  readonly #timers = new Set<Timer>();
  #isOver = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  schedule(delayUs: number, callback: () => void): Timer {
    if (this.#isOver) return { cancel: () => undefined };
    const timer = this.#kernel.schedule(delayUs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        timer.cancel();
        this.#timers.delete(timer);
      },
    };
  }

  /** As a power cut: nothing runs any more, not even what would clean up. */
  end(): void {
    this.#isOver = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
