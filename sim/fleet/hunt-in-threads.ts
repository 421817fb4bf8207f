import type { Found, HuntResult } from '../hunt/hunt.ts';
import { huntedScenario } from '../hunt/try-seed.ts';
import type { Violation } from '../oracles/oracle.ts';
import { ProbeTally } from '../probes/probe-counts.ts';
import type { ProbeReport } from '../probes/probe-counts.ts';
import { HuntThread } from './hunt-thread.ts';
import type { HostClock } from './hunt-thread.ts';

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
  /** As soon as it is small. */
  readonly onFound?: (found: Found) => void;
}

export interface HuntProgress {
  readonly tried: number;
  readonly events: number;
  /** Seeds that broke a law. */
  readonly failing: number;
}

export interface HuntInThreadsResult extends HuntResult, HuntProgress {
  /** Seeds that were run twice. */
  readonly checked: number;
  /** How many seeds broke each law. */
  readonly failingBy: Readonly<Record<string, number>>;
  readonly probes: readonly ProbeReport[];
}

interface Failing {
  readonly seed: number;
  readonly violation: Violation;
}

/** Tries drawn scenarios on several threads until the time is up, then makes small what broke a law. */
export async function huntInThreads(options: HuntInThreadsOptions): Promise<HuntInThreadsResult> {
  const { clock, signal, workers = 1 } = options;
  const campaign = new Campaign(options);
  const threads = Array.from({ length: workers }, () => new HuntThread(clock));
  const abort = (): void => {
    for (const thread of threads) void thread.end();
  };
  signal?.addEventListener('abort', abort);
  try {
    await Promise.all(threads.map((thread) => campaign.trySeeds(thread)));
    await Promise.all(threads.map((thread) => campaign.makeSmall(thread)));
  } finally {
    signal?.removeEventListener('abort', abort);
    await Promise.all(threads.map((thread) => thread.end()));
  }
  return campaign.result();
}

class Campaign {
  readonly #options: HuntInThreadsOptions;
  readonly #endUs: number;
  readonly #tally = new ProbeTally();
  readonly #kept = new Map<string, Failing[]>();
  readonly #failingBy = new Map<string, number>();
  readonly #found: Found[] = [];
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

  async trySeeds(thread: HuntThread): Promise<void> {
    const { checkEvery = 20 } = this.#options;
    for (let order = this.#next(); order !== undefined; order = this.#next()) {
      const isChecked = order % checkEvery === checkEvery - 1;
      const seed = this.#seedOf(order);
      const report = await thread.do({ type: 'try', seed, isChecked });
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
      this.#options.onProgress?.({ tried: this.#tried, events: this.#events, failing: this.#failing });
    }
  }

  async makeSmall(thread: HuntThread): Promise<void> {
    // All threads have tried their last seed: what is kept stays.
    this.#waiting ??= [...this.#kept.values()].flat();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#options.signal?.aborted === true) return;
      const { seed, violation } = next;
      const isRun = violation.oracle !== 'crash' && violation.oracle !== 'standstill';
      const report = isRun ? await thread.do({ type: 'shrink', ...next }) : undefined;
      const isShrunk = report !== undefined && 'found' in report;
      const found = isShrunk ? report.found : { seed, violation, scenario: huntedScenario(seed) };
      this.#found.push(found);
      this.#options.onFound?.(found);
    }
  }

  result(): HuntInThreadsResult {
    return {
      tried: this.#tried,
      checked: this.#checked,
      events: this.#events,
      failing: this.#failing,
      failingBy: Object.fromEntries(this.#failingBy),
      found: this.#found.toSorted((one, other) => one.violation.event - other.violation.event),
      probes: this.#tally.report(),
    };
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
