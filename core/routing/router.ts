import { abortedError, throwIfAborted } from '../abort.ts';
import type { Limits } from '../limits.ts';
import type {
  Clock,
  Digester,
  LookupAnswer,
  LookupOutcome,
  Member,
  Membership,
  Observer,
  Probe,
  Random,
  RecordBatch,
  RecordEntry,
  Records,
  RoutingKey,
} from '../ports/index.ts';
import { silentProbe } from '../ports/index.ts';
import { LookupFlight } from './lookup-flight.ts';
import type { FlightDeps, OnHolders } from './lookup-flight.ts';
import { planLookup, trackNeighbours } from './lookup-plan.ts';
import type { Neighbours, Standing } from './lookup-plan.ts';
import { createReachability } from './reachability.ts';
import type { Reachability } from './reachability.ts';
import { RecordStore } from './record-store.ts';
import type { RecordCounts } from './record-store.ts';
import { createPositions, createRoutingKeys } from './routing-key.ts';
import type { Position } from './routing-key.ts';
import { createWarming } from './warming.ts';
import type { Warming } from './warming.ts';

export interface RouterDeps {
  readonly clock: Clock;
  readonly membership: Membership;
  readonly records: Records;
  readonly digester: Digester;
  readonly random: Random;
  readonly observer: Observer;
  /** @default nothing, as in production */
  readonly probe?: Probe;
}

export interface RouterOptions {
  readonly limits: Limits;
  /** Upload slots free at this node now; told to who asks for what this node holds. Undefined: unknown. */
  readonly freeSlots?: () => number;
}

/** Finds who has what, and keeps this node's share of that knowledge. */
export interface Router {
  /**
   * Looks a digest or a tag reference up. `onHolders` gets the holders as answers come, each once and never this node; the caller goes on at the
   * first. Resolves when nothing more will come: `found`; `nobody` (a quorum said so); `timeout` after `lookupTimeoutUs`; `unreachable` when too few
   * members could answer. Rejects with `ABORTED` only. Lookups for one key at the same time are one. Nothing is remembered after the end.
   */
  lookup(key: string, onHolders: OnHolders, signal: AbortSignal): Promise<LookupOutcome>;
  /** What this node holds itself: others that ask it are told so. Kept true by the advertiser. */
  readonly own: OwnRecords;
  readonly reachability: Reachability;
  state(): RouterState;
  /** Ends all lookups (`ABORTED`) and answers nobody any more. Idempotent. */
  dispose(): void;
}

export interface OwnRecords {
  set(key: RoutingKey, tag: RecordEntry['tag']): void;
  remove(key: RoutingKey): void;
  clear(): void;
}

export interface RouterState extends RecordCounts {
  readonly warming: boolean;
  readonly lookups: number;
}

/** @see Router */
export function createRouter(deps: RouterDeps, options: RouterOptions): Router {
  return new KademliaRouter(deps, options);
}

class KademliaRouter implements Router {
  readonly reachability: Reachability;
  readonly own: OwnRecords;
  readonly #deps: RouterDeps;
  readonly #options: RouterOptions;
  readonly #store: RecordStore;
  readonly #probe: Probe;
  readonly #warming: Warming;
  readonly #neighbours: () => Neighbours;
  readonly #positionOf: (key: RoutingKey) => Position;
  readonly #keyOf: (text: string) => RoutingKey;
  readonly #flights = new Map<RoutingKey, LookupFlight>();
  readonly #flightDeps: FlightDeps;
  readonly #stopServing: () => void;
  #isDisposed = false;
  #wasWarming = true;

  constructor(deps: RouterDeps, options: RouterOptions) {
    const { clock, membership, records, digester, random } = deps;
    const { limits } = options;
    this.#deps = deps;
    this.#options = options;
    this.reachability = createReachability(limits);
    const { probe = silentProbe } = deps;
    this.#probe = probe;
    const store = new RecordStore(membership.self, random.fork('records'), limits, clock.nowUs(), probe);
    this.#store = store;
    this.own = {
      set: (key, tag) => {
        store.setOwn(key, tag, clock.nowUs());
      },
      remove: (key) => {
        store.removeOwn(key);
      },
      clear: () => {
        store.clearOwn();
      },
    };
    this.#warming = createWarming(membership, this.reachability.isSuspect, limits, clock.nowUs());
    this.#neighbours = trackNeighbours(membership);
    this.#positionOf = createPositions(digester, limits.positionsCachedMax);
    this.#keyOf = createRoutingKeys(digester, limits.positionsCachedMax);
    this.#flightDeps = {
      clock,
      records,
      reachability: this.reachability,
      self: membership.self,
      known: (id) => this.#neighbours().find(id),
      ownAnswer: (key) => this.#answer(membership.self, key),
    };
    this.#stopServing = records.serve({
      onBatch: (sender, batch) => {
        this.#onBatch(sender, batch);
      },
      onLookup: (asker, key) => {
        if (asker !== undefined) this.reachability.heard(asker.id);
        return this.#answer(asker, key);
      },
    });
  }

  async lookup(text: string, onHolders: OnHolders, signal: AbortSignal): Promise<LookupOutcome> {
    // The caller has its promise before anything calls it back.
    await Promise.resolve();
    throwIfAborted(signal);
    if (this.#isDisposed) throw abortedError();
    const key = this.#keyOf(text);
    const flight = this.#flights.get(key) ?? this.#takeOff(key);
    return flight.join(onHolders, signal);
  }

  state(): RouterState {
    const nowUs = this.#deps.clock.nowUs();
    return {
      ...this.#store.counts(nowUs),
      warming: this.#warming.isWarming(nowUs),
      lookups: this.#flights.size,
    };
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#stopServing();
    for (const flight of this.#flights.values()) flight.cancel();
  }

  #takeOff(key: RoutingKey): LookupFlight {
    const { limits } = this.#options;
    const nowUs = this.#deps.clock.nowUs();
    const { membership, records } = this.#deps;
    const standing: Standing = {
      isSuspect: ({ id }) => this.reachability.isSuspect(id, nowUs),
      isConnected: (member) => member.id === membership.self.id || records.isConnected(member),
    };
    const planned = planLookup(this.#neighbours(), this.#positionOf(key), standing, limits);
    const flight = new LookupFlight(this.#flightDeps, limits, key, planned, () => void this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  #onBatch(sender: Member, batch: RecordBatch): void {
    const { clock, membership, observer } = this.#deps;
    if (sender.id === membership.self.id) return;
    this.reachability.heard(sender.id);
    const nowUs = clock.nowUs();
    if (batch.complete) this.#warming.heard(sender.id);
    try {
      this.#store.take(sender, batch, nowUs);
    } finally {
      const isWarming = this.#warming.isWarming(nowUs);
      if (this.#wasWarming && !isWarming) observer.onNode({ type: 'records', ...this.#counts(nowUs), warming: false });
      this.#wasWarming = isWarming;
    }
  }

  #counts(nowUs: number): { readonly keys: number; readonly senders: number } {
    const { keys, senders } = this.#store.counts(nowUs);
    return { keys, senders };
  }

  #answer(asker: Member | undefined, key: RoutingKey): LookupAnswer {
    const nowUs = this.#deps.clock.nowUs();
    const holders = this.#store.holders(key, asker, this.#options.freeSlots?.(), nowUs);
    if (holders.length > 0) return { holders, warming: false, closer: [] };
    // A member that was told everything may well say less of itself than it could: who asks then asks others.
    const warming = this.#warming.isWarming(nowUs) || this.#probe.buggify('routing: warming again');
    this.#probe.sometimes('routing: a warming member has nobody to name', warming);
    return { holders, warming, closer: this.#closer(asker, key, warming, nowUs) };
  }

  /**
   * Members nearer to the key, for an asker that knows too few: only if this node is not among the nearest itself, whose word is as good as theirs,
   * or is warming, when its word is worth nothing.
   */
  #closer(asker: Member | undefined, key: RoutingKey, warming: boolean, nowUs: number): Member[] {
    const { limits } = this.#options;
    const { id: selfId } = this.#deps.membership.self;
    const { routingReplicas, closerPerAnswerMax } = limits;
    const near = this.#neighbours().peili.nearest(this.#positionOf(key), routingReplicas + closerPerAnswerMax);
    const rank = near.findIndex(({ id }) => id === selfId);
    const isKeeper = rank >= 0 && rank < routingReplicas;
    if (isKeeper && !warming) return [];
    const nearer = rank < 0 ? near : near.slice(0, rank);
    return nearer
      .filter(({ id }) => id !== asker?.id && !this.reachability.isSuspect(id, nowUs))
      .slice(0, closerPerAnswerMax);
  }
}
