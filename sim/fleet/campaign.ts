import type { Found, HuntResult } from '../hunt/hunt.ts';
import { huntedScenario } from '../hunt/try-seed.ts';
import type { Violation } from '../oracles/oracle.ts';
import { ProbeTally } from '../probes/probe-counts.ts';
import type { ProbeReport } from '../probes/probe-counts.ts';
import type { HostClock, HuntThread } from './hunt-thread.ts';

export interface HuntInThreadsOptions {
  /** Of this machine. */
  readonly clock: HostClock;
  /** How long seeds are tried. What breaks a law is made small after it. */
  readonly budgetUs: number;
  /** @default 1 */
  readonly firstSeed?: number;
  /** This machine's part, where several hunt: every `count`th seed, `index` from 0. @default all of them */
  readonly shard?: { readonly index: number; readonly count: number };
  /** Threads. @default 1 */
  readonly workers?: number;
  /** Seeds at most. @default as many as the time allows */
  readonly seedsMax?: number;
  /** One seed in so many is run twice, promises drained either way. @default 20 */
  readonly checkEvery?: number;
  /** Of seeds that break the same law so many are kept and made small, those that fail in the fewest events. @default 2 */
  readonly keptMax?: number;
  /** Ends it early, with what is known by then. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: HuntProgress) => void;
  /** As soon as it is small, or it is known that it will not be. */
  readonly onFound?: (found: KeptFind) => void;
}

export interface HuntProgress {
  readonly tried: number;
  readonly events: number;
  /** Seeds that broke a law. */
  readonly failing: number;
  /** How many of those that are kept have been made small. @default seeds are still tried */
  readonly small?: { readonly done: number; readonly of: number };
}

/** Whether it has been made small: the time for that ends when a hunt is called off, and what ends its thread is not run again. */
export interface KeptFind extends Found {
  readonly isSmall: boolean;
}

export interface HuntInThreadsResult extends HuntResult, Omit<HuntProgress, 'small'> {
  /** Those that failed in the fewest events first. */
  readonly found: readonly KeptFind[];
  /** Seeds that were run twice. */
  readonly checked: number;
  /** How many seeds broke each law. */
  readonly failingBy: Readonly<Record<string, number>>;
  readonly probes: readonly ProbeReport[];
}

/** What does the runs of a campaign, one at a time. */
export type Hunter = Pick<HuntThread, 'do'>;

interface Failing {
  readonly seed: number;
  readonly violation: Violation;
}

/** Which seeds are tried, which of those that break a law are kept and made small, and what came of all. Knows nothing of threads. */
export class Campaign {
  readonly #options: HuntInThreadsOptions;
  readonly #endUs: number;
  readonly #tally = new ProbeTally();
  readonly #kept = new Map<string, Failing[]>();
  readonly #failingBy = new Map<string, number>();
  readonly #found: KeptFind[] = [];
  #waiting: Failing[] | undefined;
  #begun = 0;
  #tried = 0;
  #checked = 0;
  #events = 0;
  #failing = 0;

  constructor(options: HuntInThreadsOptions) {
    this.#options = options;
    this.#endUs = options.clock.nowUs() + options.budgetUs;
  }

  async trySeeds(hunter: Hunter): Promise<void> {
    const { checkEvery = 20 } = this.#options;
    for (let order = this.#next(); order !== undefined; order = this.#next()) {
      const isChecked = order % checkEvery === checkEvery - 1;
      const seed = this.#seedOf(order);
      const report = await hunter.do({ type: 'try', seed, isChecked });
      if (report === undefined) return;
      this.#tried += 1;
      if (isChecked) this.#checked += 1;
      const isBroken = 'oracle' in report;
      if (!isBroken && report.type === 'tried') {
        this.#events += report.events;
        this.#tally.add(report.probes);
      }
      const violation = isBroken ? report : report.type === 'tried' ? report.violation : undefined;
      if (violation !== undefined) this.#note({ seed, violation });
      this.#options.onProgress?.(this.#counts());
    }
  }

  async makeSmall(hunter: Hunter): Promise<void> {
    // All hunters have tried their last seed: what is kept stays.
    this.#waiting ??= [...this.#kept.values()].flat();
    const of = [...this.#kept.values()].flat().length;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { onFound, onProgress } = this.#options;
      onProgress?.({ ...this.#counts(), small: { done: this.#found.length, of } });
      const found = await this.#smallest(hunter, next);
      this.#found.push(found);
      onFound?.(found);
    }
  }

  /** Called off, it is kept as it was drawn: whoever waited for it learns of it all the same. */
  async #smallest(hunter: Hunter, { seed, violation }: Failing): Promise<KeptFind> {
    const endsHunter = violation.oracle === 'crash' || violation.oracle === 'standstill';
    const isGivenUp = endsHunter || this.#options.signal?.aborted === true;
    const report = isGivenUp ? undefined : await hunter.do({ type: 'shrink', seed, violation });
    if (report !== undefined && 'found' in report) return { ...report.found, isSmall: true };
    return { seed, violation, scenario: huntedScenario(seed), isSmall: false };
  }

  result(): HuntInThreadsResult {
    return {
      ...this.#counts(),
      checked: this.#checked,
      failingBy: Object.fromEntries(this.#failingBy),
      found: this.#found.toSorted((one, other) => one.violation.event - other.violation.event),
      probes: this.#tally.report(),
    };
  }

  #counts(): Omit<HuntProgress, 'small'> {
    return { tried: this.#tried, events: this.#events, failing: this.#failing };
  }

  #next(): number | undefined {
    const { clock, seedsMax = Infinity, signal } = this.#options;
    if (signal?.aborted === true || this.#begun >= seedsMax || clock.nowUs() >= this.#endUs) return undefined;
    this.#begun += 1;
    return this.#begun - 1;
  }

  #seedOf(order: number): number {
    const { firstSeed = 1, shard = { index: 0, count: 1 } } = this.#options;
    return firstSeed + shard.index + order * shard.count;
  }

  #note(failing: Failing): void {
    const { keptMax = 2 } = this.#options;
    const { oracle } = failing.violation;
    this.#failing += 1;
    this.#failingBy.set(oracle, (this.#failingBy.get(oracle) ?? 0) + 1);
    const kept = [...(this.#kept.get(oracle) ?? []), failing];
    kept.sort((one, other) => one.violation.event - other.violation.event || one.seed - other.seed);
    this.#kept.set(oracle, kept.slice(0, keptMax));
  }
}
