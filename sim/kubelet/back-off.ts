/** How long what has failed is left alone: doubled at each failure, forgotten after twice the longest wait (client-go's `flowcontrol.Backoff`). */
export class BackOff {
  readonly #firstUs: number;
  readonly #maxUs: number;
  readonly #entries = new Map<string, { readonly waitUs: number; readonly sinceUs: number }>();

  constructor(firstUs: number, maxUs: number) {
    this.#firstUs = firstUs;
    this.#maxUs = maxUs;
  }

  isWaiting(key: string, nowUs: number): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && nowUs - entry.sinceUs < entry.waitUs;
  }

  /** It has failed once more. */
  next(key: string, nowUs: number): void {
    const entry = this.#entries.get(key);
    const isForgotten = entry === undefined || nowUs - entry.sinceUs > 2 * this.#maxUs;
    const waitUs = isForgotten ? this.#firstUs : Math.min(this.#maxUs, 2 * entry.waitUs);
    this.#entries.set(key, { waitUs, sinceUs: nowUs });
  }
}
