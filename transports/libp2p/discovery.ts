import { openScope } from '../../core/index.ts';
import type { Clock, Random, Timer } from '../../core/index.ts';
import type { Bootstrap, BootstrapEntry } from './bootstrap.ts';
import { isSameEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import type { MemberTable } from './member-table.ts';

/** Finds members: bootstrap at start, again while alone, now and then afterwards; and members tell of members. */
export interface Discovery {
  start(): void;
  /** The last answer of bootstrap named this node and nobody else. */
  isSelfTheOnlyEntry(): boolean;
  stop(): void;
}

export interface DiscoveryDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly bootstrap: Bootstrap;
  readonly table: MemberTable;
  readonly selfId: string;
  readonly ownEndpoints: () => readonly Endpoint[];
  /** Connects to whoever answers there: identify and hello do the rest. */
  readonly visit: (entry: BootstrapEntry, endpoint: Endpoint, signal: AbortSignal) => Promise<void>;
  /** Asks one member whom it knows. */
  readonly gossip: (memberId: string, signal: AbortSignal) => Promise<void>;
  readonly onRound: () => void;
}

export interface DiscoveryOptions {
  readonly retryMinUs: number;
  readonly retryMaxUs: number;
  readonly intervalUs: number;
  /** Strangers dialled in one round. */
  readonly visitsMax: number;
  readonly resolveTimeoutUs: number;
}

export function createDiscovery(deps: DiscoveryDeps, options: DiscoveryOptions): Discovery {
  const { clock, random, table } = deps;
  const life = openScope(new AbortController().signal);
  const state: { onlySelf: boolean; delayUs: number; gossipDelayUs: number; timers: Set<Timer> } = {
    onlySelf: false,
    delayUs: options.retryMinUs,
    gossipDelayUs: options.retryMinUs * 4,
    timers: new Set(),
  };

  const later = (delayUs: number, task: () => Promise<void>): void => {
    if (life.signal.aborted) return;
    const timer = clock.schedule(delayUs, () => {
      state.timers.delete(timer);
      void task();
    });
    state.timers.add(timer);
  };

  const isOwn = (endpoint: Endpoint): boolean => deps.ownEndpoints().some((own) => isSameEndpoint(own, endpoint));
  const isSelf = (entry: BootstrapEntry): boolean =>
    entry.id === undefined ? entry.endpoints.some(isOwn) : entry.id === deps.selfId;

  const resolveEntries = async (): Promise<readonly BootstrapEntry[]> => {
    const scope = openScope(life.signal);
    const timer = clock.schedule(options.resolveTimeoutUs, () => {
      scope.abort();
    });
    try {
      return await deps.bootstrap.resolve(scope.signal);
    } finally {
      timer.cancel();
      scope.close();
    }
  };

  const round = async (): Promise<void> => {
    try {
      const entries = await resolveEntries();
      const others = entries.filter((entry) => !isSelf(entry));
      state.onlySelf = entries.length > 0 && others.length === 0;
      await Promise.all(strangers(others).map(({ entry, endpoint }) => deps.visit(entry, endpoint, life.signal)));
      if (deps.bootstrap.kind === 'dns') forgetVanished(entries);
    } catch {
      // The name does not resolve yet, nobody answers: the next round asks again.
    }
    if (life.signal.aborted) return;
    deps.onRound();
    later(nextDelayUs(), round);
  };

  /** Entries behind which no member is known to be, in an order of this node's own, so that not everybody dials the same. */
  const strangers = (entries: readonly BootstrapEntry[]): { entry: BootstrapEntry; endpoint: Endpoint }[] => {
    const places = new Set(Array.from(table.all(), placesOf).flat());
    const unknown = entries.flatMap((entry) => {
      const [endpoint] = entry.endpoints;
      const isKnown = endpoint === undefined || places.has(placeOf(endpoint));
      return isKnown || isOwn(endpoint) ? [] : [{ entry, endpoint }];
    });
    return shuffled(unknown, random).slice(0, options.visitsMax);
  };

  /** A member that cannot be reached and whose address the service has dropped is gone. */
  const forgetVanished = (entries: readonly BootstrapEntry[]): void => {
    const listed = new Set(entries.flatMap((entry) => entry.endpoints.map(({ host }) => host)));
    for (const { member, failingSinceUs } of [...table.all()]) {
      const isListed = member.addresses.some((address) => listed.has(address));
      if (failingSinceUs !== undefined && !member.connected && !isListed) table.leave(member.id);
    }
  };

  const isAlone = (): boolean => !table.members().some((member) => table.get(member.id)?.met === true);

  const nextDelayUs = (): number => {
    if (!isAlone() || state.onlySelf) {
      state.delayUs = options.retryMinUs;
      return jittered(options.intervalUs, random);
    }
    const delayUs = state.delayUs;
    state.delayUs = Math.min(delayUs * 2, options.retryMaxUs);
    return delayUs;
  };

  /** Soon after the start, when much is new, and then ever less often. */
  const gossipRound = async (): Promise<void> => {
    const known = Array.from(table.all()).filter(({ member, met }) => met && member.kind === 'peili');
    const connected = known.filter(({ member }) => member.connected);
    const choice = connected.length > 0 ? connected : known;
    const partner = choice.length > 0 ? choice[random.below(choice.length)] : undefined;
    if (partner !== undefined) await deps.gossip(partner.member.id, life.signal).catch(() => undefined);
    state.gossipDelayUs = Math.min(state.gossipDelayUs * 2, options.intervalUs);
    later(jittered(state.gossipDelayUs, random), gossipRound);
  };

  return {
    start: () => {
      later(jittered(state.gossipDelayUs, random), gossipRound);
      if (deps.bootstrap.kind !== 'none') void round();
    },
    isSelfTheOnlyEntry: () => state.onlySelf,
    stop: () => {
      life.abort();
      life.close();
      for (const timer of state.timers) timer.cancel();
      state.timers.clear();
    },
  };
}

function placeOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}

function placesOf({
  endpoints,
  failingSinceUs,
}: {
  endpoints: readonly Endpoint[];
  failingSinceUs: number | undefined;
}): string[] {
  return failingSinceUs === undefined ? endpoints.map(placeOf) : [];
}

/** Between half and one and a half of it. */
function jittered(delayUs: number, random: Random): number {
  return Math.floor(delayUs / 2) + random.below(Math.max(1, Math.floor(delayUs)));
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1);
    const a = result[index];
    const b = result[other];
    if (a === undefined || b === undefined) continue;
    result[index] = b;
    result[other] = a;
  }
  return result;
}
