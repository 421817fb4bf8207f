import type { Limits } from '../limits.ts';
import type { Member, Membership } from '../ports/index.ts';
import type { LookupPlan, Role } from './lookup-decision.ts';
import { createPositionTable } from './position-table.ts';
import type { PositionTable } from './position-table.ts';
import type { Position } from './routing-key.ts';

/** The members by kind, this node among its own: rebuilt when the membership has changed, not per lookup. */
export interface Neighbours {
  readonly peili: PositionTable<Member>;
  readonly spegel: PositionTable<Member>;
  find(id: string): Member | undefined;
}

/** Returns the neighbours as of now; the same object until the membership changes. */
export function trackNeighbours(membership: Membership): () => Neighbours {
  let seen: readonly Member[] | undefined;
  let neighbours: Neighbours | undefined;
  return () => {
    const members = membership.members();
    if (neighbours === undefined || members !== seen) neighbours = neighboursOf([membership.self, ...members]);
    seen = members;
    return neighbours;
  };
}

function neighboursOf(members: readonly Member[]): Neighbours {
  const peili = createPositionTable<Member>(members.length);
  const spegel = createPositionTable<Member>();
  for (const member of members) (member.kind === 'peili' ? peili : spegel).add(member, member.position);
  // Made when an answer first names somebody: where nobody has anything yet, none does.
  let byId: ReadonlyMap<string, Member> | undefined;
  const find = (id: string): Member | undefined => {
    byId ??= new Map(members.map((member) => [member.id, member]));
    return byId.get(id);
  };
  return { peili, spegel, find };
}

export interface PlannedLookup {
  readonly plan: LookupPlan;
  /** Everybody in the plan, spares included. */
  readonly members: ReadonlyMap<string, Member>;
}

/**
 * Who is asked for a key: the nearest `routingReplicas` of each kind that answer, the suspects among the nearest besides,
 * and further Spegel members, since v0.4 answers for itself alone. Of the nearest of our kind no more are dialled than a quorum takes.
 */
export function planLookup(
  neighbours: Neighbours,
  target: Position,
  { isSuspect, isConnected }: Standing,
  limits: Limits,
): PlannedLookup {
  const near = nearestOf(neighbours.peili, target, isSuspect, limits);
  const [own, heldBack] = holdBack(near, isConnected, limits.noHolderQuorum);
  const foreign = nearestOf(neighbours.spegel, target, isSuspect, limits);
  const asked = new Map<Member, Role>([...foreign.asked, ...own]);
  if (neighbours.spegel.size > 0) {
    for (const member of neighbours.spegel.nearest(target, limits.spegelLookupsMax)) {
      if (!asked.has(member) && !isSuspect(member)) asked.set(member, 'extra');
    }
  }
  const spares = [...near.spares, ...foreign.spares].filter((member) => asked.get(member) === undefined);
  const known = neighbours.peili.size + neighbours.spegel.size;
  return {
    plan: {
      asked: Array.from(asked, ([member, role]) => ({ id: member.id, role, isDialled: !isConnected(member) })),
      heldBack: heldBack.map(({ id }) => id),
      spares: spares.map(({ id }) => id),
      quorum: Math.min(limits.noHolderQuorum, known),
      secondHopMax: 2 * limits.routingReplicas,
    },
    members: new Map([...asked.keys(), ...heldBack, ...spares].map((member) => [member.id, member])),
  };
}

/** What this node knows of a member's state. */
export interface Standing {
  /** It did not answer lately. */
  readonly isSuspect: (member: Member) => boolean;
  /** It can be asked without a dial; this node itself always can. */
  readonly isConnected: (member: Member) => boolean;
}

type Asked = readonly (readonly [Member, Role])[];

/** Those whom to ask at first, and those whom only where they do not suffice: each dial takes both ends milliseconds, and where all pull at once a popular key's keepers have a queue of them. */
function holdBack(
  { asked }: Nearest,
  isConnected: Standing['isConnected'],
  quorum: number,
): [Asked, readonly Member[]] {
  const keepers = asked.filter(([, role]) => role === 'keeper').map(([member]) => member);
  const connected = keepers.filter(isConnected).length;
  const far = keepers.filter((member) => !isConnected(member));
  const heldBack = new Set(far.slice(Math.max(0, quorum - connected)));
  return [asked.filter(([member]) => !heldBack.has(member)), [...heldBack]];
}

interface Nearest {
  readonly asked: Asked;
  readonly spares: readonly Member[];
}

function nearestOf(
  table: PositionTable<Member>,
  target: Position,
  isSuspect: (member: Member) => boolean,
  limits: Limits,
): Nearest {
  const replicas = limits.routingReplicas;
  const near = table.nearest(target, 4 * replicas);
  const well = near.filter((member) => !isSuspect(member));
  const keepers = well.slice(0, replicas);
  const suspects = near.slice(0, replicas).filter(isSuspect);
  return {
    asked: [
      ...keepers.map((member) => [member, 'keeper'] as const),
      ...suspects.map((member) => [member, 'suspect'] as const),
    ],
    spares: well.slice(replicas, 2 * replicas),
  };
}
