import type { Disposer, Member, MembershipChange } from '../../core/index.ts';
import { isSameEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { changeOf, knownMember, leastWorth, nearestMet } from './known-member.ts';
import type { KnownMember } from './known-member.ts';
import type { MemberFacts } from './member-codec.ts';
import type { PeerIds } from './peer-ids.ts';

/** Everybody whom this node has met or heard of. */
export interface MemberTable {
  get(id: string): KnownMember | undefined;
  all(): Iterable<KnownMember>;
  /** The same array until something changes. */
  members(): readonly Member[];
  watch(listener: (change: MembershipChange) => void): Disposer;
  /** The member said so itself, over its own authenticated connection. False when the table is full of met members. */
  meet(facts: MemberFacts, connected: boolean): boolean;
  /** Somebody else said so: it never changes what a member said of itself. */
  hint(facts: MemberFacts): void;
  setConnected(id: string, connected: boolean): void;
  /** A dial failed. Forgets who was only heard of, and who has been out of reach for so long that nothing it said holds. */
  fail(id: string): void;
  leave(id: string): void;
  /** Another id answered at this address. */
  replaced(endpoint: Endpoint, byId: string): void;
  /** The nearest members to a place in key space, nearest first. */
  nearest(target: Uint8Array, count: number): KnownMember[];
}

export interface MemberTableOptions {
  readonly selfId: string;
  readonly membersMax: number;
  readonly retryUs: number;
  /** Out of reach for so long: forgotten. */
  readonly forgetUs: number;
}

interface MemberTableDeps {
  readonly ids: PeerIds;
  readonly nowUs: () => number;
}

export function createMemberTable({ ids, nowUs }: MemberTableDeps, options: MemberTableOptions): MemberTable {
  const known = new Map<string, KnownMember>();
  /** Whom others still name though they could not be reached: not heard of again until then. */
  const deaf = new Map<string, number>();
  const listeners = new Set<(change: MembershipChange) => void>();
  let snapshot: readonly Member[] | undefined;

  const tell = (change: MembershipChange): void => {
    snapshot = undefined;
    for (const listener of listeners) listener(change);
  };

  const put = (facts: MemberFacts, previous: KnownMember | undefined, met: boolean, connected: boolean): void => {
    const entry = knownMember(facts, previous, { met, connected }, ids);
    known.set(facts.id, entry);
    const change = changeOf(previous, entry);
    if (change !== undefined) tell(change);
  };

  const forget = (id: string): void => {
    if (deaf.size >= options.membersMax) deaf.clear();
    deaf.set(id, nowUs() + options.forgetUs);
    leave(id);
  };

  const leave = (id: string): void => {
    if (known.delete(id)) tell({ type: 'left', id });
  };

  const makeRoom = (): boolean => {
    if (known.size < options.membersMax) return true;
    const victim = leastWorth(known.values());
    if (victim !== undefined) leave(victim.member.id);
    return victim !== undefined;
  };

  return {
    get: (id) => known.get(id),
    all: () => known.values(),
    members: () => {
      snapshot ??= Object.freeze(Array.from(known.values(), ({ member }) => member));
      return snapshot;
    },
    watch: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    meet: (facts, connected) => {
      if (facts.id === options.selfId) return false;
      const previous = known.get(facts.id);
      if (previous === undefined && !makeRoom()) return false;
      deaf.delete(facts.id);
      put(facts, previous, true, connected);
      return true;
    },
    hint: (facts) => {
      if (facts.id === options.selfId || facts.endpoints.length === 0 || facts.registryPort === 0) return;
      const previous = known.get(facts.id);
      const isDeaf = (deaf.get(facts.id) ?? 0) > nowUs();
      if (previous?.met === true || isDeaf || (previous === undefined && known.size >= options.membersMax)) return;
      put(facts, previous, false, previous?.member.connected ?? false);
    },
    setConnected: (id, connected) => {
      const entry = known.get(id);
      if (entry === undefined || entry.member.connected === connected) return;
      const member = { ...entry.member, connected };
      known.set(id, { ...entry, member });
      tell({ type: 'updated', member });
    },
    fail: (id) => {
      const entry = known.get(id);
      if (entry === undefined) return;
      const failingSinceUs = entry.failingSinceUs ?? nowUs();
      if (!entry.met || nowUs() - failingSinceUs > options.forgetUs) forget(id);
      else known.set(id, { ...entry, failingSinceUs, retryAtUs: nowUs() + options.retryUs });
    },
    leave,
    replaced: (endpoint, byId) => {
      for (const entry of [...known.values()]) {
        const isThere = entry.endpoints.some((other) => isSameEndpoint(other, endpoint));
        if (isThere && entry.member.id !== byId && !entry.member.connected) leave(entry.member.id);
      }
    },
    nearest: (target, count) => nearestMet(known.values(), target, count),
  };
}
