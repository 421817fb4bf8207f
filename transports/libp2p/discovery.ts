import { PeiliError, withDeadline } from '../../core/index.ts';
import type { Clock, Random } from '../../core/index.ts';
import type { Bootstrap, BootstrapEntry } from './bootstrap.ts';
import { jittered, sampleOf } from './chance.ts';
import { endpointText, isSameEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import type { MemberTable } from './member-table.ts';
import { createRepeatingTask } from '../system/repeating-task.ts';

/** Bootstrap at start, again while alone, and now and then afterwards. */
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
  /** Connects to whoever answers there, and resolves when it has been met or is nobody. */
  readonly visit: (visit: Visit, signal: AbortSignal) => Promise<void>;
  readonly onRound: () => void;
}

export interface Visit {
  readonly endpoint: Endpoint;
  /** Who has to answer; undefined: anybody. */
  readonly id: string | undefined;
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
  const { clock, random, table, bootstrap } = deps;
  const state = { onlySelf: false, delayUs: options.retryMinUs };

  const isOwn = (endpoint: Endpoint): boolean => deps.ownEndpoints().some((own) => isSameEndpoint(own, endpoint));
  const isSelf = ({ id, endpoints }: BootstrapEntry): boolean =>
    id === undefined ? endpoints.some(isOwn) : id === deps.selfId;

  const resolve = (signal: AbortSignal): Promise<readonly BootstrapEntry[]> =>
    withDeadline(clock, options.resolveTimeoutUs, signal, noAnswer, (resolveSignal) =>
      bootstrap.resolve(resolveSignal),
    );

  const nextDelayUs = (): number => {
    const isAlone = !Array.from(table.all()).some(({ met }) => met);
    const delayUs = isAlone && !state.onlySelf ? state.delayUs : jittered(options.intervalUs, random);
    state.delayUs = isAlone ? Math.min(state.delayUs * 2, options.retryMaxUs) : options.retryMinUs;
    return delayUs;
  };

  const task = createRepeatingTask(clock, async (signal) => {
    try {
      const entries = await resolve(signal);
      const others = entries.filter((entry) => !isSelf(entry));
      state.onlySelf = entries.length > 0 && others.length === 0;
      const visits = strangersAmong(others, table).filter(({ endpoint }) => !isOwn(endpoint));
      await Promise.all(sampleOf(visits, options.visitsMax, random).map((visit) => deps.visit(visit, signal)));
      if (bootstrap.kind === 'dns') forgetVanished(entries, table);
    } catch {
      // The name does not resolve yet, or nobody answers: the next round asks again.
    }
    deps.onRound();
    return nextDelayUs();
  });

  return {
    start: () => {
      if (bootstrap.kind !== 'none') task.start(0);
    },
    isSelfTheOnlyEntry: () => state.onlySelf,
    stop: task.stop,
  };
}

function noAnswer(): PeiliError {
  return new PeiliError('MEMBER_UNREACHABLE', 'bootstrap does not answer');
}

/** Entries behind which no member is known to be. */
function strangersAmong(entries: readonly BootstrapEntry[], table: MemberTable): Visit[] {
  const wellKnown = Array.from(table.all()).filter(({ failingSinceUs }) => failingSinceUs === undefined);
  const places = new Set(wellKnown.flatMap(({ endpoints }) => endpoints.map(endpointText)));
  return entries.flatMap(({ id, endpoints }) => {
    const [endpoint] = endpoints;
    const isKnown = endpoint === undefined || endpoints.some((place) => places.has(endpointText(place)));
    return isKnown ? [] : [{ endpoint, id }];
  });
}

/** A member that cannot be reached and whose address the service has dropped is gone. */
function forgetVanished(entries: readonly BootstrapEntry[], table: MemberTable): void {
  const listed = new Set(entries.flatMap(({ endpoints }) => endpoints.map(({ host }) => host)));
  for (const { member, failingSinceUs } of [...table.all()]) {
    const isListed = member.addresses.some((address) => listed.has(address));
    if (failingSinceUs !== undefined && !member.connected && !isListed) table.leave(member.id);
  }
}
