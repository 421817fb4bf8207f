import { defaultLimits } from '../../core/index.ts';
import type {
  Clock,
  Digester,
  Limits,
  Member,
  MemberKind,
  Membership,
  Mirror,
  PeerClient,
  Records,
} from '../../core/index.ts';
import type { LinkFault } from './link-fault.ts';
import { createMemoryMembership } from './memory-membership.ts';
import type { MemoryMembership } from './memory-membership.ts';
import { createMemoryPeers } from './memory-peers.ts';
import { createMemoryRecords } from './memory-records.ts';
import type { RecordsService } from './memory-records.ts';

export interface MemoryClusterDeps {
  readonly clock: Clock;
  readonly digester: Digester;
  /** @default defaultLimits */
  readonly limits?: Limits;
}

export interface MemoryNodeOptions {
  /** @default 'peili' */
  readonly kind?: MemberKind;
  /** @default '' */
  readonly zone?: string;
}

/** One node's ports into the cluster. */
export interface MemoryNode {
  readonly membership: Membership;
  readonly records: Records;
  readonly peers: PeerClient;
  /** Answers the requests of the others: until then they are refused. */
  listen(mirror: Pick<Mirror, 'answer'>): void;
}

/** Nodes in one process that reach each other by calls. */
export interface MemoryCluster {
  /** A new node, known to all others at once. */
  addNode(options?: MemoryNodeOptions): MemoryNode;
  /** Kills a node: its exchanges break off, calls to it fail, the others keep it as a member that is not connected. */
  stop(id: string): void;
  /** A stopped or running node begins anew under its identity, with a higher incarnation and nothing else. */
  restart(id: string): MemoryNode;
  /** All others forget the node. */
  forget(id: string): void;
  /** Breaks the way from one node to another, or mends it. */
  setFault(fromId: string, toId: string, fault: LinkFault | undefined): void;
  /** Exchanges and calls under way. */
  pending(): number;
}

/** A node as the others reach it. */
export interface Seat {
  readonly membership: MemoryMembership;
  readonly records: RecordsService;
  mirror: Pick<Mirror, 'answer'> | undefined;
  /** Ends with the node. */
  readonly life: AbortController;
}

/** What the ports of a node see of the cluster. */
export interface Links {
  readonly clock: Clock;
  readonly limits: Limits;
  /** The running node of this id. */
  seat(id: string): Seat | undefined;
  fault(fromId: string, toId: string): LinkFault | undefined;
  /** Counts a call or a body as under way until the result is called. */
  begin(): () => void;
}

export function createMemoryCluster({ clock, digester, limits = defaultLimits }: MemoryClusterDeps): MemoryCluster {
  const seats = new Map<string, Seat>();
  const faults = new Map<string, LinkFault>();
  const counter = { pending: 0, incarnation: 0 };
  const links = createLinks(clock, limits, seats, faults, counter);

  const place = (self: Member): MemoryNode => {
    const membership = createMemoryMembership(self);
    const { records, service } = createMemoryRecords(links, self);
    const seat: Seat = { membership, records: service, mirror: undefined, life: new AbortController() };
    for (const [id, other] of seats) {
      if (id === self.id) continue;
      other.membership.see(self);
      membership.see({ ...other.membership.self, connected: !other.life.signal.aborted });
    }
    seats.set(self.id, seat);
    const listen = (mirror: Pick<Mirror, 'answer'>): void => {
      seat.mirror = mirror;
    };
    return { membership, records, peers: createMemoryPeers(links, self), listen };
  };

  const addNode = ({ kind = 'peili', zone = '' }: MemoryNodeOptions = {}): MemoryNode => {
    const number = seats.size + 1;
    const id = `node-${number}`;
    counter.incarnation += 1;
    return place({
      id,
      position: digester.hash('sha256', new TextEncoder().encode(id)),
      addresses: [`10.0.${number >> 8}.${number & 255}`],
      registryPort: 5_000,
      kind,
      zone,
      incarnation: kind === 'peili' ? counter.incarnation : 0,
      connected: true,
    });
  };

  const stop = (id: string): void => {
    const seat = seats.get(id);
    if (seat === undefined || seat.life.signal.aborted) return;
    seat.life.abort();
    for (const [otherId, other] of seats) {
      if (otherId !== id) other.membership.see({ ...seat.membership.self, connected: false });
    }
  };

  const restart = (id: string): MemoryNode => {
    const self = seats.get(id)?.membership.self;
    if (self === undefined) throw new RangeError(`no node ${id} in this cluster`);
    stop(id);
    counter.incarnation += 1;
    return place({ ...self, incarnation: self.kind === 'peili' ? counter.incarnation : 0 });
  };

  return {
    addNode,
    stop,
    restart,
    forget: (id) => {
      for (const seat of seats.values()) seat.membership.forget(id);
    },
    setFault: (fromId, toId, fault) => {
      if (fault === undefined) faults.delete(`${fromId} ${toId}`);
      else faults.set(`${fromId} ${toId}`, fault);
    },
    pending: () => counter.pending,
  };
}

function createLinks(
  clock: Clock,
  limits: Limits,
  seats: ReadonlyMap<string, Seat>,
  faults: ReadonlyMap<string, LinkFault>,
  counter: { pending: number },
): Links {
  return {
    clock,
    limits,
    seat: (id) => {
      const seat = seats.get(id);
      return seat?.life.signal.aborted === true ? undefined : seat;
    },
    fault: (fromId, toId) => faults.get(`${fromId} ${toId}`),
    begin: () => {
      counter.pending += 1;
      let isUnderWay = true;
      return () => {
        if (isUnderWay) counter.pending -= 1;
        isUnderWay = false;
      };
    },
  };
}
