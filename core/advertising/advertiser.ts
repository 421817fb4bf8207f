import { abortedError, withDeadline } from '../abort.ts';
import { PeiliError, reasonOf } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type {
  Clock,
  ContentStore,
  Digester,
  Disposer,
  Membership,
  Observer,
  Probe,
  Random,
  Records,
  RoutingKey,
  StoreChange,
  Timer,
} from '../ports/index.ts';
import { silentProbe } from '../ports/index.ts';
import type { Router } from '../routing/router.ts';
import { positionOf, routingKeyOf } from '../routing/routing-key.ts';
import { Holdings } from './holdings.ts';
import type { Holding, HoldingsFilter } from './holdings.ts';
import { Outbox } from './outbox.ts';

export interface AdvertiserDeps {
  readonly clock: Clock;
  readonly membership: Membership;
  readonly records: Records;
  readonly store: ContentStore;
  readonly router: Pick<Router, 'own' | 'reachability'>;
  readonly digester: Digester;
  readonly random: Random;
  readonly observer: Observer;
  /** @default nothing, as in production */
  readonly probe?: Probe;
}

export interface AdvertiserOptions extends HoldingsFilter {
  readonly limits: Limits;
  /** Upload slots free now. */
  readonly freeSlots: () => number;
}

/** Keeps what others know of this node's content true. */
export interface Advertiser {
  /** Lists the store, says what is there, and follows its changes from then on. */
  start(): void;
  /** For content whose bytes are wrong: withdrawn, and not advertised again until the store has removed it and got it anew. */
  withdrawContent(digest: string): void;
  /** Whether anything is advertised at all (`advertises`) has changed: says everything, or takes it back. */
  reconsider(): void;
  /** For a graceful stop: tells everybody that nothing is to be had here any more, and says nothing after it. Ends with `signal` at the latest. */
  withdrawAll(signal: AbortSignal): Promise<void>;
  state(): AdvertiserState;
  /** Stops speaking; withdraws nothing. Idempotent. */
  dispose(): void;
}

export interface AdvertiserState {
  readonly keys: number;
  readonly digests: number;
  readonly tags: number;
  /** Members that were told everything there is to say to them. */
  readonly membersTold: number;
  /** Members that could not be told last time. */
  readonly membersFailing: number;
  /** Whether the store has been listed. */
  readonly listed: boolean;
}

/** @see Advertiser */
export function createAdvertiser(deps: AdvertiserDeps, options: AdvertiserOptions): Advertiser {
  return new StoreAdvertiser(deps, options);
}

class StoreAdvertiser implements Advertiser {
  readonly #deps: AdvertiserDeps;
  readonly #options: AdvertiserOptions;
  readonly #holdings: Holdings;
  /** What is advertised, by text and by key. */
  readonly #keys = new Map<string, RoutingKey>();
  readonly #advertised = new Map<RoutingKey, Holding>();
  readonly #outbox: Outbox;
  readonly #life = new AbortController();
  #tags = 0;
  #isListed = false;
  #isListing = false;
  #failures = 0;
  /** Texts that changed since the listing under way began. */
  #changedMeanwhile = new Set<string>();
  #isListingStale = false;
  /** What this node answers by now and has not said yet. */
  #unsaid = { said: 0, withdrawn: 0 };
  #gatherTimer: Timer | undefined;
  #listTimer: Timer | undefined;
  #ageTimer: Timer | undefined;
  #unwatch: Disposer | undefined;

  constructor(deps: AdvertiserDeps, options: AdvertiserOptions) {
    const { clock, membership, records, observer, probe = silentProbe, router } = deps;
    this.#deps = deps;
    this.#options = options;
    this.#holdings = new Holdings(options);
    const random = deps.random.fork('advertise');
    this.#outbox = new Outbox(
      { clock, membership, records, observer, probe, random, reachability: router.reachability },
      options,
      this.#advertised,
    );
  }

  start(): void {
    if (this.#unwatch !== undefined || this.#life.signal.aborted) return;
    this.#unwatch = this.#deps.store.watch((change) => {
      this.#onChange(change);
    });
    void this.#list();
  }

  withdrawContent(digest: string): void {
    this.#holdings.markWrong(digest);
    if (this.#isListed) this.#flush();
  }

  reconsider(): void {
    this.#holdings.touchAll();
    if (this.#isListed && !this.#life.signal.aborted) this.#flush();
  }

  async withdrawAll(signal: AbortSignal): Promise<void> {
    this.#stop();
    this.#deps.router.own.clear();
    await this.#outbox.withdrawAll(signal);
  }

  state(): AdvertiserState {
    return { ...this.#counts(), listed: this.#isListed, ...this.#outbox.state() };
  }

  #counts(): Pick<AdvertiserState, 'keys' | 'digests' | 'tags'> {
    const keys = this.#advertised.size;
    return { keys, digests: keys - this.#tags, tags: this.#tags };
  }

  dispose(): void {
    this.#stop();
    this.#outbox.dispose();
  }

  #stop(): void {
    this.#life.abort(abortedError());
    this.#unwatch?.();
    this.#gatherTimer?.cancel();
    this.#listTimer?.cancel();
    this.#ageTimer?.cancel();
  }

  #onChange(change: StoreChange): void {
    if (this.#life.signal.aborted) return;
    const text = this.#holdings.apply(change);
    if (text !== undefined) {
      if (this.#isListing) this.#changedMeanwhile.add(text);
      this.#gather();
    } else if (this.#isListing) {
      this.#isListingStale = true;
    } else {
      void this.#list();
    }
  }

  /**
   * An image's blobs come within a moment of each other, and then travel in one batch per member. Whoever asks this node itself needs not wait for that:
   * Spegel nodes do, and remember a no for seconds. Where tags grow too old, they are judged when they are said.
   */
  #gather(): void {
    if (!this.#isListed) return;
    if (this.#options.tagMaxAgeUs === undefined) this.#takeOver();
    if (this.#gatherTimer !== undefined) return;
    this.#gatherTimer = this.#deps.clock.schedule(this.#options.limits.advertiseDelayUs, () => {
      this.#flush();
    });
  }

  async #list(): Promise<void> {
    const { clock, store, observer } = this.#deps;
    const { limits } = this.#options;
    this.#listTimer?.cancel();
    this.#isListing = true;
    this.#isListingStale = false;
    this.#changedMeanwhile = new Set();
    const timeout = (): PeiliError => new PeiliError('STORE_FAILED', 'the store was not listed in time');
    let nextUs = limits.reconcileIntervalUs;
    try {
      const { signal } = this.#life;
      const listing = await withDeadline(clock, limits.reconcileIntervalUs, signal, timeout, (inner) =>
        store.list(inner),
      );
      if (signal.aborted) return;
      this.#failures = 0;
      this.#holdings.replace(listing, this.#changedMeanwhile);
      this.#onListed();
      if (this.#isListingStale) nextUs = limits.advertiseDelayUs;
    } catch (error) {
      if (this.#life.signal.aborted) return;
      nextUs = Math.min(limits.advertiseRetryUs * 2 ** Math.min(this.#failures, 16), limits.reconcileIntervalUs);
      this.#failures += 1;
      observer.onNode({ type: 'store-failed', reason: reasonOf(error) });
    } finally {
      this.#isListing = false;
    }
    this.#listTimer = clock.schedule(nextUs, () => void this.#list());
  }

  #onListed(): void {
    const isFirst = !this.#isListed;
    this.#isListed = true;
    if (isFirst) this.#outbox.place();
    this.#flush();
    if (isFirst) this.#outbox.open();
  }

  /** What has changed is what this node answers from now on. */
  #takeOver(): void {
    for (const text of this.#holdings.takeTouched()) {
      const holding = this.#holdings.holding(text);
      if (holding !== undefined) {
        this.#advertise(text, holding);
        this.#unsaid.said += 1;
      } else if (this.#withdraw(text)) {
        this.#unsaid.withdrawn += 1;
      }
    }
  }

  /** Takes over what has changed, and says it. */
  #flush(): void {
    this.#gatherTimer?.cancel();
    this.#gatherTimer = undefined;
    this.#judgeAges();
    this.#takeOver();
    const { said, withdrawn } = this.#unsaid;
    if (said + withdrawn === 0) return;
    this.#unsaid = { said: 0, withdrawn: 0 };
    this.#outbox.flush();
    const { observer } = this.#deps;
    observer.onNode({ type: 'advertised', ...this.#counts() });
    if (withdrawn > 0) observer.onNode({ type: 'withdrawn', keys: withdrawn });
  }

  /** Tags grow too old without a change in the store. Every listing looks as well: the wall clock may jump. */
  #judgeAges(): void {
    const { clock } = this.#deps;
    const { advertiseDelayUs } = this.#options.limits;
    this.#ageTimer?.cancel();
    const nextUs = this.#holdings.judgeAges(clock.wallUs());
    if (nextUs === undefined || this.#life.signal.aborted) return;
    // Tags that were resolved one after the other are withdrawn together.
    this.#ageTimer = clock.schedule(Math.max(nextUs, advertiseDelayUs), () => {
      this.#flush();
    });
  }

  #advertise(text: string, holding: Holding): void {
    const { clock, digester, router } = this.#deps;
    const key = this.#keys.get(text) ?? routingKeyOf(digester, text);
    const before = this.#advertised.get(key);
    const { tag } = holding;
    if (before !== undefined && before.tag === undefined && tag === undefined) return;
    this.#keys.set(text, key);
    this.#advertised.set(key, holding);
    if (tag !== undefined && before === undefined) this.#tags += 1;
    const ageUs = tag === undefined ? 0 : Math.max(0, Math.round(clock.wallUs() - tag.resolvedAtUs));
    router.own.set(key, tag === undefined ? undefined : { digest: tag.digest, ageUs });
    this.#outbox.set(key, positionOf(digester, key), before === undefined);
  }

  #withdraw(text: string): boolean {
    const key = this.#keys.get(text);
    if (key === undefined) return false;
    if (this.#advertised.get(key)?.tag !== undefined) this.#tags -= 1;
    this.#keys.delete(text);
    this.#advertised.delete(key);
    this.#deps.router.own.remove(key);
    this.#outbox.remove(key);
    return true;
  }
}
