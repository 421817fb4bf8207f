import type { Member } from '../../core/index.ts';
import { multiaddrOf } from './endpoint.ts';
import type { Endpoint, RouterTransport } from './endpoint.ts';
import type { KadPeer } from './kad-codec.ts';
import { spegelFacts } from './known-member.ts';
import type { KnownMember } from './known-member.ts';
import type { MemberTable } from './member-table.ts';
import { positionOf } from './peer-ids.ts';
import type { PeerIds } from './peer-ids.ts';
import type { MemberFacts } from './member-codec.ts';
import type { Hello } from './records-codec.ts';

/** Members, this node included, in the forms in which the two protocols name them. */
export interface MemberDirectory {
  readonly self: Member;
  readonly hello: () => Hello;
  readonly selfPeer: () => KadPeer;
  /** This node or a known member. */
  get(id: string): Member | undefined;
  /** Takes a hint, and gives the member as it is known then. */
  hint(facts: MemberFacts): Member;
  /** Undefined when no router address is known. */
  factsOf(member: Member): MemberFacts | undefined;
  /** With the ONE address under which it is dialled; undefined when none is known. */
  peerOf(member: Member): KadPeer | undefined;
  /** What is told to members that ask: whom this node has met and has not found out of reach. */
  knownMembers(): MemberFacts[];
  /** The met members nearest to a place in key space. */
  nearestPeers(target: Uint8Array, count: number): KadPeer[];
}

export interface MemberDirectoryDeps {
  readonly ids: PeerIds;
  readonly table: MemberTable;
  readonly self: Member;
  /** The address that this node announces. */
  readonly ownEndpoints: () => readonly Endpoint[];
}

export interface MemberDirectoryOptions {
  readonly transport: RouterTransport;
  /** Of the program, told to other members. */
  readonly version: string;
}

export function createMemberDirectory(deps: MemberDirectoryDeps, options: MemberDirectoryOptions): MemberDirectory {
  const { ids, table, self, ownEndpoints } = deps;

  const factsOf = (member: Member): MemberFacts | undefined => {
    const endpoints = member.id === self.id ? ownEndpoints() : table.get(member.id)?.endpoints;
    const known = get(member.id);
    return endpoints === undefined || known === undefined ? undefined : factsWith(known, endpoints);
  };
  const peerOf = (member: Member): KadPeer | undefined => {
    const [endpoint] = factsOf(member)?.endpoints ?? [];
    return endpoint && { id: ids.toBytes(member.id), addresses: [multiaddrOf(endpoint, options.transport).bytes] };
  };
  const get = (id: string): Member | undefined => (id === self.id ? self : table.get(id)?.member);

  return {
    self,
    hello: () => ({ ...factsWith(self, ownEndpoints()), version: options.version }),
    selfPeer: () => peerOf(self) ?? { id: ids.toBytes(self.id), addresses: [] },
    get,
    hint: (said) => {
      // How a Spegel node's registry is reached is not for others to say.
      const facts = said.kind === 'spegel' ? spegelFacts(said.id, said.endpoints, self.registryPort) : said;
      table.hint(facts);
      return get(facts.id) ?? memberFrom(facts, ids);
    },
    factsOf,
    peerOf,
    knownMembers: () =>
      Array.from(table.all())
        .filter(isWorthTelling)
        .map(({ member, endpoints }) => factsWith(member, endpoints)),
    nearestPeers: (target, count) => table.nearest(target, count).flatMap(({ member }) => peerOf(member) ?? []),
  };
}

function factsWith(member: Member, endpoints: readonly Endpoint[]): MemberFacts {
  const { id, registryPort, kind, zone, incarnation } = member;
  return { id, endpoints, registryPort, kind, zone, incarnation };
}

function memberFrom(facts: MemberFacts, ids: PeerIds): Member {
  const { id, registryPort, kind, zone, incarnation, endpoints } = facts;
  const addresses = endpoints.map(({ host }) => host);
  return {
    id,
    position: positionOf(ids.toBytes(id)),
    addresses,
    registryPort,
    kind,
    zone,
    incarnation,
    connected: false,
  };
}

function isWorthTelling({ met, failingSinceUs }: KnownMember): boolean {
  return met && failingSinceUs === undefined;
}
