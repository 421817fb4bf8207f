/** So many a second on average, and a burst of more: client-go's `TokenBucketRateLimiter`, whose `TryAccept` never waits. Times are integers. */
export class TokenBucket {
  readonly #everyUs: number;
  readonly #burst: number;
  /** Until when its tokens are spent, as if each took `everyUs`. */
  #spentUntilUs = -Infinity;

  constructor(perSecond: number, burst: number) {
    this.#everyUs = perSecond === 0 ? 0 : Math.ceil(1_000_000 / perSecond);
    this.#burst = burst;
  }

  tryTake(nowUs: number): boolean {
    const fromUs = Math.max(this.#spentUntilUs, nowUs - this.#burst * this.#everyUs);
    if (fromUs + this.#everyUs > nowUs) return false;
    this.#spentUntilUs = fromUs + this.#everyUs;
    return true;
  }
}
