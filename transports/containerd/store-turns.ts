import { isDigest } from '../../core/index.ts';
import type { Clock, Limits, Timer } from '../../core/index.ts';
import { createEarliestTimer } from '../system/earliest-timer.ts';
import { createRuns } from '../system/runs.ts';
import type { StoreReader } from './store-reader.ts';

/** Decides when the store is read, and how much of it: single changes soon, everything once in a while. One reading goes on at a time. */
export interface StoreTurns {
  /** From here on there is a containerd to ask, until `pause`. `onFailed`: a reading failed, what it was for is lost: everything must be read again. */
  resume(signal: AbortSignal, onFailed: (error: unknown) => void): void;
  pause(): void;
  contentChanged(digest: string): void;
  imageChanged(name: string): void;
  /** Something changed, and it is not known what. */
  somethingChanged(delayUs: number): void;
  /** Resolves when everything has been read after this call. Rejects as the reading does. */
  readAll(): Promise<void>;
  close(): void;
  pending(): number;
}

export interface StoreTurnsDeps {
  readonly clock: Clock;
  readonly reader: StoreReader;
  /** Whether files tell when content comes and goes. */
  readonly isWatching: () => boolean;
  /** Called after each reading, the failed ones too. */
  readonly onRead: () => void;
}

export type StoreTurnsLimits = Pick<
  Limits,
  'storeScanDelayUs' | 'storeScanRetryUs' | 'storeChecksMax' | 'reconcileIntervalUs'
>;

/** A list of everything is followed by at least so many times its own duration of rest. */
const restPerList = 4;
/** Without anybody who lists, the store reads everything itself after this part of the interval at which others do. */
const ownIntervalPerInterval = 1.5;
/** A file that is no content yet, or content without a name, is asked about again so many times, each after 4 times as long as before. */
const recheckDelaysUs = [50_000, 200_000, 800_000, 3_200_000, 12_800_000];
/** Contents that are asked about again: more come at once only with a new store, and the next list has them. */
const rechecksMax = 1024;

export function createStoreTurns(deps: StoreTurnsDeps, limits: StoreTurnsLimits): StoreTurns {
  return new Turns(deps, limits);
}

interface Link {
  readonly signal: AbortSignal;
  readonly onFailed: (error: unknown) => void;
}

class Turns implements StoreTurns {
  readonly #deps: StoreTurnsDeps;
  readonly #clock: Clock;
  readonly #limits: StoreTurnsLimits;
  readonly #runs = createRuns(() => this.#turn());
  readonly #someTimer;
  readonly #allTimer;
  readonly #recheckTimer;
  #wanted = { all: false, digests: new Set<string>(), images: new Set<string>() };
  readonly #rechecks = new Map<string, { readonly count: number; readonly atUs: number }>();
  #restUntilUs = 0;
  #isListing = false;
  /** While the list under way was made, so that another one is due after its rest. */
  #changedMeanwhile = false;
  #link: Link | undefined;
  #ownTimer: Timer | undefined;

  constructor(deps: StoreTurnsDeps, limits: StoreTurnsLimits) {
    this.#deps = deps;
    this.#clock = deps.clock;
    this.#limits = limits;
    this.#someTimer = createEarliestTimer(deps.clock, () => {
      this.#start();
    });
    this.#allTimer = createEarliestTimer(deps.clock, () => {
      if (this.#isListing) {
        this.#changedMeanwhile = true;
        return;
      }
      this.#wanted.all = true;
      this.#start();
    });
    this.#recheckTimer = createEarliestTimer(deps.clock, () => {
      this.#recheck();
    });
  }

  resume(signal: AbortSignal, onFailed: (error: unknown) => void): void {
    this.#link = { signal, onFailed };
    this.#wanted.all = true;
  }

  pause(): void {
    this.#link = undefined;
    this.#ownTimer?.cancel();
    this.#rechecks.clear();
  }

  contentChanged(digest: string): void {
    if (!isDigest(digest) || this.#link === undefined) return;
    this.#rechecks.delete(digest);
    this.#wanted.digests.add(digest);
    this.#soon();
  }

  imageChanged(name: string): void {
    if (this.#link === undefined) return;
    this.#wanted.images.add(name);
    this.#soon();
    // An image that goes takes content along, a little later and without an event.
    if (!this.#deps.isWatching()) this.somethingChanged(this.#limits.storeScanRetryUs);
  }

  somethingChanged(delayUs: number): void {
    if (this.#link === undefined) return;
    this.#allTimer.after(Math.max(delayUs, this.#restUntilUs - this.#clock.nowUs()));
  }

  readAll(): Promise<void> {
    this.#wanted.all = true;
    return this.#runs.run();
  }

  close(): void {
    this.pause();
    this.#someTimer.close();
    this.#allTimer.close();
    this.#recheckTimer.close();
  }

  pending(): number {
    return this.#runs.pending();
  }

  #soon(): void {
    this.#someTimer.after(this.#limits.storeScanDelayUs);
  }

  #start(): void {
    const { all, digests, images } = this.#wanted;
    const isMuch = digests.size + images.size > this.#limits.storeChecksMax;
    if (isMuch && !all) {
      // A list has them all, but one list right after the other would be all that this process does.
      this.somethingChanged(0);
      return;
    }
    this.#runs.run().catch(() => undefined); // Whom the failure is about has been told.
  }

  async #turn(): Promise<void> {
    const link = this.#link;
    const { all, digests, images } = this.#wanted;
    if (link === undefined || (!all && digests.size + images.size === 0)) return;
    this.#wanted = { all: false, digests: new Set(), images: new Set() };
    const startUs = this.#clock.nowUs();
    this.#isListing = all;
    try {
      const { reader } = this.#deps;
      if (all) await reader.readAll(link.signal);
      else await reader.readSome({ digests, images }, link.signal);
      // After a list, too: what it found in mid-pull is in nobody's next question.
      this.#expect(digests, await reader.unsettled(digests));
    } catch (error) {
      link.onFailed(error);
      throw error;
    } finally {
      this.#isListing = false;
      this.#deps.onRead();
    }
    if (!all) return;
    const nowUs = this.#clock.nowUs();
    this.#restUntilUs = nowUs + (nowUs - startUs) * restPerList;
    if (this.#changedMeanwhile) this.somethingChanged(0);
    this.#changedMeanwhile = false;
    this.#ownTimer?.cancel();
    if (this.#link !== link) return;
    this.#ownTimer = this.#clock.schedule(this.#limits.reconcileIntervalUs * ownIntervalPerInterval, () => {
      this.somethingChanged(0);
    });
  }

  /** Of those asked about, what is unsettled is asked about again later. */
  #expect(asked: ReadonlySet<string>, unsettled: readonly string[]): void {
    const nowUs = this.#clock.nowUs();
    const counts = new Map([...asked].map((digest) => [digest, this.#rechecks.get(digest)?.count ?? 0]));
    for (const digest of asked) this.#rechecks.delete(digest);
    for (const digest of unsettled) {
      const count = counts.get(digest) ?? 0;
      const delayUs = recheckDelaysUs[count];
      if (delayUs === undefined || this.#rechecks.size >= rechecksMax) continue;
      this.#rechecks.set(digest, { count: count + 1, atUs: nowUs + delayUs });
      this.#recheckTimer.after(delayUs);
    }
  }

  #recheck(): void {
    const nowUs = this.#clock.nowUs();
    let nextUs = Infinity;
    for (const [digest, { count, atUs }] of this.#rechecks) {
      if (atUs > nowUs) {
        nextUs = Math.min(nextUs, atUs);
        continue;
      }
      this.#wanted.digests.add(digest);
      this.#rechecks.set(digest, { count, atUs: Infinity });
    }
    if (nextUs < Infinity) this.#recheckTimer.after(nextUs - nowUs);
    this.#start();
  }
}
