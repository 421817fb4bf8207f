import type { Member, MembershipChange } from '../../core/index.ts';
import type { Endpoint } from './endpoint.ts';
import type { MemberFacts } from './member-codec.ts';
import { compareDistance, positionOf } from './peer-ids.ts';
import type { PeerIds } from './peer-ids.ts';

export interface KnownMember {
  readonly member: Member;
  readonly endpoints: readonly Endpoint[];
  /** False: only heard of. */
  readonly met: boolean;
  /** Set while the last dial failed: when the first of the failures in a row was, microseconds. */
  readonly failingSinceUs: number | undefined;
  /** Dialled again from then on. */
  readonly retryAtUs: number;
}

/** What is known after `facts` were said: by the member itself (`met`), or by somebody else. */
export function knownMember(
  facts: MemberFacts,
  previous: KnownMember | undefined,
  { met, connected }: { readonly met: boolean; readonly connected: boolean },
  ids: PeerIds,
): KnownMember {
  const { id, registryPort, kind, zone, incarnation, endpoints } = facts;
  const position = previous?.member.position ?? positionOf(ids.toBytes(id));
  const addresses = [...new Set(endpoints.map(({ host }) => host))];
  return {
    member: { id, position, addresses, registryPort, kind, zone, incarnation, connected },
    endpoints,
    met: met || previous?.met === true,
    failingSinceUs: met ? undefined : previous?.failingSinceUs,
    retryAtUs: met ? 0 : (previous?.retryAtUs ?? 0),
  };
}

/** The met members nearest to a place in key space, nearest first. */
export function nearestMet(entries: Iterable<KnownMember>, target: Uint8Array, count: number): KnownMember[] {
  return Array.from(entries)
    .filter(({ met }) => met)
    .toSorted((a, b) => compareDistance(target, a.member.position, b.member.position))
    .slice(0, count);
}

/** Who makes room: who was only heard of goes first, then who has been out of reach the longest; nobody else. */
export function leastWorth(entries: Iterable<KnownMember>): KnownMember | undefined {
  let victim: KnownMember | undefined;
  for (const entry of entries) {
    if (entry.member.connected) continue;
    if (!entry.met) return entry;
    const sinceUs = entry.failingSinceUs;
    if (sinceUs !== undefined && sinceUs < (victim?.failingSinceUs ?? Infinity)) victim = entry;
  }
  return victim;
}

/** What the change from one to the other is called; undefined when nothing changed. */
export function changeOf(previous: KnownMember | undefined, entry: KnownMember): MembershipChange | undefined {
  const { member } = entry;
  if (previous === undefined) return { type: 'joined', member };
  if (previous.met && previous.member.incarnation !== member.incarnation) return { type: 'restarted', member };
  return isSameMember(previous.member, member) ? undefined : { type: 'updated', member };
}

function isSameMember(a: Member, b: Member): boolean {
  const isSameText = a.zone === b.zone && a.addresses.join(' ') === b.addresses.join(' ');
  if (a.connected !== b.connected) return false;
  return isSameText && a.registryPort === b.registryPort && a.kind === b.kind && a.incarnation === b.incarnation;
}

/** A Spegel node as it is seen from here: it says nothing of its registry's port (that is ours) nor of its starts. */
export function spegelFacts(id: string, endpoints: readonly Endpoint[], registryPort: number): MemberFacts {
  return { id, endpoints, registryPort, kind: 'spegel', zone: '', incarnation: 0 };
}
