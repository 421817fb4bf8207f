import type { Timer } from '../../core/index.ts';
import type { Life } from '../kernel/life.ts';
import { progressLookUs } from './containerd-options.ts';

export interface ProgressTimerDeps {
  readonly life: Life;
  readonly nowUs: () => number;
  readonly onTimeout: () => void;
}

/**
 * The one timer of a pull, for all of its image (internal/cri/server/images/image_pull.go): it looks every 10 s, and cancels the pull when something is active and no
 * byte has come for the time-out. Nothing active, as while all wait for a head: no time passes.
 *
 * containerd compares with a clock that it reads a moment after each look, so that the pull is now and then cancelled one look later than here.
 */
export class ProgressTimer {
  /** Requests, or blobs that have begun to grow. */
  active = 0;
  bytes = 0;
  readonly #deps: ProgressTimerDeps;
  readonly #timeoutUs: number;
  #seenBytes = 0;
  #seenUs = 0;
  #timer: Timer | undefined;

  /** Begins at once; `timeoutUs` 0: never. */
  constructor(deps: ProgressTimerDeps, timeoutUs: number) {
    this.#deps = deps;
    this.#timeoutUs = timeoutUs;
    this.#seenUs = deps.nowUs();
    if (timeoutUs > 0) this.#plan();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #plan(): void {
    const lookUs = this.#timeoutUs < progressLookUs ? this.#timeoutUs / 2 : progressLookUs;
    this.#timer = this.#deps.life.schedule(lookUs, () => {
      if (this.#isStuck()) this.#deps.onTimeout();
      else this.#plan();
    });
  }

  #isStuck(): boolean {
    const nowUs = this.#deps.nowUs();
    if (this.active > 0 && this.bytes === this.#seenBytes) return nowUs - this.#seenUs >= this.#timeoutUs;
    this.#seenBytes = this.bytes;
    this.#seenUs = nowUs;
    return false;
  }
}
