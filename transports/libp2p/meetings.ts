import type { Connection, IdentifyResult, Libp2p } from '@libp2p/interface';
import type { Clock, Disposer, Member } from '../../core/index.ts';
import { connectionsToClose } from './connection-pruning.ts';
import { endpointOf } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { kadProtocol } from './kad-codec.ts';
import { spegelFacts } from './known-member.ts';
import type { MemberTable } from './member-table.ts';
import { recordsProtocol } from './records-codec.ts';
import type { MemberFacts } from './member-codec.ts';
import type { Hello } from './records-codec.ts';

/** How a connection becomes a member: identify says which protocols it speaks, and ours say hello. */
export interface Meetings {
  onHello(connection: Connection, hello: Hello): void;
  /** A Spegel node that spoke before it was identified. */
  onKadPeer(connection: Connection, endpoints: readonly Endpoint[]): Member | undefined;
  /** A member was used or spoke: its connection is worth keeping. */
  touch(id: string): void;
  /** Resolves when the member has been met, at the latest after `timeoutUs`. */
  untilMet(id: string, timeoutUs: number, signal: AbortSignal): Promise<void>;
  /** Begins to listen. */
  watch(greet: (connection: Connection) => Promise<void>): Disposer;
}

export interface MeetingsDeps {
  readonly host: Libp2p;
  readonly clock: Clock;
  readonly table: MemberTable;
  readonly self: Member;
}

export function createMeetings({ host, clock, table, self }: MeetingsDeps, connectionsMax: number): Meetings {
  const usedAtUs = new Map<string, number>();
  const touch = (id: string): void => void usedAtUs.set(id, clock.nowUs());

  const meet = (connection: Connection, facts: MemberFacts): void => {
    touch(facts.id);
    const dialled = connection.direction === 'outbound' ? endpointOf(connection.remoteAddr) : undefined;
    const endpoints = facts.endpoints.length > 0 || dialled === undefined ? facts.endpoints : [dialled];
    table.meet({ ...facts, endpoints }, connection.status === 'open');
    // Only where it was dialled: anybody can announce somebody else's address.
    if (dialled !== undefined) table.replaced(dialled, facts.id);
    prune();
  };

  const prune = (): void => {
    const open = host.getConnections().map((connection) => {
      const id = connection.remotePeer.toString();
      return { connection, position: table.get(id)?.member.position, usedAtUs: usedAtUs.get(id) ?? 0 };
    });
    for (const connection of connectionsToClose(open, self.position, connectionsMax)) {
      void connection.close().catch(() => undefined);
    }
  };

  const onKadPeer = (connection: Connection, endpoints: readonly Endpoint[]): Member | undefined => {
    const id = connection.remotePeer.toString();
    if (table.get(id)?.met !== true) meet(connection, spegelFacts(id, endpoints, self.registryPort));
    return table.get(id)?.member;
  };

  const watch = (greet: (connection: Connection) => Promise<void>): Disposer => {
    const identified = ({ detail }: { detail: IdentifyResult }): void => {
      const { connection, protocols } = detail;
      if (protocols.includes(recordsProtocol)) {
        // Who dialled says hello first; the other side hears it on the stream.
        if (connection.direction === 'outbound') greet(connection).catch(() => undefined);
      } else if (protocols.includes(kadProtocol)) {
        const endpoints = detail.listenAddrs.flatMap((address) => endpointOf(address) ?? []);
        meet(connection, spegelFacts(detail.peerId.toString(), endpoints, self.registryPort));
      }
    };
    const disconnected = ({ detail }: { detail: Connection['remotePeer'] }): void => {
      const id = detail.toString();
      usedAtUs.delete(id);
      table.setConnected(id, host.getConnections(detail).length > 0);
    };
    host.addEventListener('peer:identify', identified);
    host.addEventListener('peer:disconnect', disconnected);
    return () => {
      host.removeEventListener('peer:identify', identified);
      host.removeEventListener('peer:disconnect', disconnected);
    };
  };

  return {
    onHello: (connection, hello) => {
      const { registryPort, zone, incarnation, endpoints } = hello;
      meet(connection, {
        id: connection.remotePeer.toString(),
        kind: 'peili',
        registryPort,
        zone,
        incarnation,
        endpoints,
      });
    },
    onKadPeer,
    touch,
    untilMet: (id, timeoutUs, signal) => untilMet(table, clock, id, timeoutUs, signal),
    watch,
  };
}

async function untilMet(
  table: MemberTable,
  clock: Clock,
  id: string,
  timeoutUs: number,
  signal: AbortSignal,
): Promise<void> {
  const met = Promise.withResolvers<undefined>();
  const finish = (): void => {
    met.resolve(undefined);
  };
  const check = (): void => {
    if (table.get(id)?.met === true) finish();
  };
  const unwatch = table.watch(check);
  const timer = clock.schedule(timeoutUs, finish);
  signal.addEventListener('abort', finish, { once: true });
  check();
  await met.promise;
  unwatch();
  timer.cancel();
  signal.removeEventListener('abort', finish);
}
