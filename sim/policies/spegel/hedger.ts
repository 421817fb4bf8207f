/** Percentiles of earlier fetches after which further peers are asked. */
const percentiles = [80, 85, 90] as const;
const initialUs = 50_000;
const observedMsMax = 500;

/** v0.7: when further peers are asked in parallel: as long as earlier fetches took, in whole milliseconds; 50 ms while they take less than one (`internal/resilient/hedge.go`). */
export class Hedger {
  /** Fetches by what they took, milliseconds. */
  readonly #counts = new Map<number, number>();
  #count = 0;

  observe(tookUs: number): void {
    const ms = Math.min(observedMsMax, Math.floor(tookUs / 1000));
    this.#counts.set(ms, (this.#counts.get(ms) ?? 0) + 1);
    this.#count += 1;
  }

  delaysUs(): readonly number[] {
    return percentiles.map((percentile) => this.#afterUs(percentile));
  }

  get raceTimeoutUs(): number {
    return Math.max(2 * this.#afterUs(90), 100_000);
  }

  #afterUs(percentile: number): number {
    const wanted = Math.ceil((this.#count * percentile) / 100);
    let seen = 0;
    for (const [ms, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      seen += count;
      if (seen >= wanted) return ms === 0 ? initialUs : ms * 1000;
    }
    return initialUs;
  }
}
