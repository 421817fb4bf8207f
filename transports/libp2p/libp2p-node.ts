import type { Connection, IdentifyResult, Libp2p } from '@libp2p/interface';
import type { Clock, Limits, Member, Membership, Observer, Random, Records } from '../../core/index.ts';
import { createBootstrap, formatBootstrapDocument, systemSources } from './bootstrap.ts';
import type { BootstrapEntry, BootstrapOptions, BootstrapSources } from './bootstrap.ts';
import { connectionsToClose } from './connection-pruning.ts';
import { createDialer } from './dialer.ts';
import { createDiscovery } from './discovery.ts';
import { endpointOf, multiaddrOf, parseEndpoint } from './endpoint.ts';
import type { Endpoint, RouterTransport } from './endpoint.ts';
import { startHost } from './host.ts';
import { loadIdentity } from './identity.ts';
import { kadProtocol } from './kad-codec.ts';
import type { KadPeer } from './kad-codec.ts';
import { serveKad } from './kad-server.ts';
import { createMemberTable, spegelFacts } from './member-table.ts';
import type { KnownMember, MemberTable } from './member-table.ts';
import { createPeerIds, positionOf } from './peer-ids.ts';
import { recordsProtocol } from './records-codec.ts';
import type { Hello, MemberFacts } from './records-codec.ts';
import { createRecordsPort } from './records-port.ts';
import { serveRecords } from './records-server.ts';

export interface Libp2pNodeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** What bootstrap asks of the outside; the system's by default. */
  readonly bootstrapSources?: BootstrapSources;
}

export interface Libp2pNodeOptions {
  /** `host:port` to listen at, `:port` for all addresses; port 0: any. */
  readonly routerAddress: string;
  readonly registryPort: number;
  readonly zone: string;
  readonly bootstrap: BootstrapOptions;
  /** Where the identity is kept; without it every start is a new node. */
  readonly dataDir?: string;
  readonly limits: Limits;
  /** @default 'tcp' */
  readonly transport?: RouterTransport;
  /** Of the program, told to other members. */
  readonly version?: string;
}

export interface Libp2pNode {
  readonly membership: Membership;
  readonly records: Records;
  readonly peerId: string;
  /** The router multiaddrs that are announced: exactly one. */
  readonly addresses: readonly string[];
  readiness(): { readonly ready: boolean; readonly reason: string };
  /** What Spegel's HTTP bootstrap reads, `{"ID","Addrs"}`: for whoever serves `/id`. */
  bootstrapDocument(): string;
  /** Ends everything: connections, listeners, timers. Idempotent. */
  dispose(): Promise<void>;
}

const strangersPerRound = 16;
const inboundStreamsPerMember = 8;
const connectionsWallFactor = 4;

/**
 * A member of the cluster over libp2p: who else is in it, and the records' wire. Resolves when it listens; bootstrap goes on behind.
 * Rejects with `ADDRESS_INVALID`, `ADDRESS_IN_USE`, `OPTION_INVALID` or `IDENTITY_INVALID`.
 */
export async function createLibp2pNode(deps: Libp2pNodeDeps, options: Libp2pNodeOptions): Promise<Libp2pNode> {
  const { clock, observer } = deps;
  const { limits, registryPort, zone } = options;
  const transport = options.transport ?? 'tcp';
  const listen = routerEndpoint(options.routerAddress, transport, deps.random);
  const ownPort = (): number => announced()[0]?.port ?? listen.port;
  const bootstrap = createBootstrap(deps.bootstrapSources ?? systemSources, options.bootstrap, ownPort);
  const privateKey = await loadIdentity(options.dataDir);
  const host = await startHost({
    listen,
    transport,
    privateKey,
    connectionsMax: limits.connectionsMax * connectionsWallFactor,
  });
  const announced = (): Endpoint[] => host.getMultiaddrs().flatMap((address) => endpointOf(address) ?? []);
  const ids = createPeerIds(limits.membersMax * 2);
  const selfId = host.peerId.toString();
  const self: Member = Object.freeze({
    id: selfId,
    position: positionOf(ids.toBytes(selfId)),
    addresses: announced().map((endpoint) => endpoint.host),
    registryPort,
    kind: 'peili',
    zone,
    incarnation: Math.floor(clock.wallUs() / 1000),
    connected: true,
  });

  const table = createMemberTable(
    { ids, nowUs: () => clock.nowUs() },
    { selfId, membersMax: limits.membersMax, retryUs: limits.memberRetryUs, forgetUs: limits.recordTtlUs },
  );
  const dialer = createDialer({ node: host, table, clock }, { transport, dialTimeoutUs: limits.memberDialTimeoutUs });
  const hello = (): Hello => ({
    registryPort,
    zone,
    incarnation: self.incarnation,
    version: options.version ?? '',
    endpoints: announced(),
  });
  const selfFacts = (): MemberFacts => ({ ...self, endpoints: announced() });
  const factsOf = (member: Member): MemberFacts | undefined => {
    if (member.id === selfId) return selfFacts();
    const entry = table.get(member.id);
    return entry === undefined ? undefined : factsOfKnown(entry);
  };
  const peerOf = (member: Member): KadPeer | undefined => {
    const [endpoint] = factsOf(member)?.endpoints ?? [];
    return endpoint && { id: ids.toBytes(member.id), addresses: [multiaddrOf(endpoint, transport).bytes] };
  };
  const selfPeer = (): KadPeer => peerOf(self) ?? { id: ids.toBytes(selfId), addresses: [] };

  const usedAtUs = new Map<string, number>();
  const meet = (connection: Connection, facts: MemberFacts): void => {
    usedAtUs.set(facts.id, clock.nowUs());
    const dialled = connection.direction === 'outbound' ? endpointOf(connection.remoteAddr) : undefined;
    const endpoints = facts.endpoints.length > 0 ? facts.endpoints : dialled === undefined ? [] : [dialled];
    table.meet({ ...facts, endpoints }, connection.status === 'open');
    if (dialled !== undefined) table.replaced(dialled, facts.id);
    prune(host, table, usedAtUs, self.position, limits.connectionsMax);
  };
  const onHello = (connection: Connection, said: Hello): void => {
    meet(connection, { id: connection.remotePeer.toString(), kind: 'peili', ...said });
  };
  const port = createRecordsPort(
    { clock, ids, table, dialer, hello, onHello, selfPeer },
    {
      registryPort,
      messageMaxBytes: limits.recordsMessageMaxBytes,
      sendTimeoutUs: limits.recordsSendTimeoutUs,
      closerMax: limits.closerPerAnswerMax,
      holdersMax: limits.holdersPerAnswerMax,
    },
  );

  const identified = ({ detail }: { detail: IdentifyResult }): void => {
    const { connection, protocols } = detail;
    if (protocols.includes(recordsProtocol)) {
      // Who dialled says hello first; the other side hears it on the stream.
      if (connection.direction === 'outbound') port.greet(connection).catch(() => undefined);
      return;
    }
    if (!protocols.includes(kadProtocol)) return;
    const endpoints = detail.listenAddrs.flatMap((address) => endpointOf(address) ?? []);
    meet(connection, spegelFacts(detail.peerId.toString(), endpoints, registryPort));
  };
  host.addEventListener('peer:identify', identified);
  host.addEventListener('peer:disconnect', ({ detail }) => {
    table.setConnected(detail.toString(), false);
  });

  const streamOptions = { maxInboundStreams: inboundStreamsPerMember, maxOutboundStreams: inboundStreamsPerMember };
  await host.handle(
    recordsProtocol,
    (stream, connection) => {
      serveRecords(
        {
          ids,
          hello,
          onHello,
          memberOf: (id) => table.get(id)?.member,
          handler: port.handler,
          factsOf,
          knownMembers: () => Array.from(table.all()).filter(isWorthTelling).map(factsOfKnown),
        },
        stream,
        connection,
        limits.recordsMessageMaxBytes,
      );
    },
    streamOptions,
  );
  const counter = { sequence: 0 };
  await host.handle(
    kadProtocol,
    (stream, connection) => {
      serveKad(
        {
          ids,
          handler: port.handler,
          memberOf: ({ remotePeer }) => table.get(remotePeer.toString())?.member,
          peerOf,
          nearest: (target, count) => table.nearest(target, count).flatMap(({ member }) => peerOf(member) ?? []),
          self: selfPeer,
          nextSequence: () => (counter.sequence += 1),
        },
        stream,
        connection,
        { messageMaxBytes: limits.recordsMessageMaxBytes, recordTtlUs: limits.kadRecordTtlUs },
      );
    },
    streamOptions,
  );

  const discovery = createDiscovery(
    {
      clock,
      random: deps.random.fork('discovery'),
      bootstrap,
      table,
      selfId,
      ownEndpoints: announced,
      visit: async (entry, endpoint, signal) => {
        const connection = await dialer.dialEndpoint(endpoint, signal);
        if (connection === undefined) return;
        if (!isExpected(connection, entry)) await connection.close();
        else await untilMet(connection.remotePeer.toString(), signal);
      },
      gossip: async (memberId, signal) => {
        if (table.get(memberId)?.member.kind === 'peili') return port.askMembers(memberId, signal);
        const strangers = await port.findNodes(memberId, ids.toBytes(selfId), signal);
        await Promise.allSettled(strangers.slice(0, strangersPerRound).map((id) => dialer.connect(id, signal)));
        return undefined;
      },
      onRound: () => {
        report();
      },
    },
    {
      retryMinUs: limits.bootstrapRetryMinUs,
      retryMaxUs: limits.bootstrapRetryMaxUs,
      intervalUs: limits.dnsIntervalUs,
      visitsMax: strangersPerRound,
      resolveTimeoutUs: limits.memberDialTimeoutUs,
    },
  );

  /** A connection is not a member yet: identify and hello come first. */
  const untilMet = async (id: string, signal: AbortSignal): Promise<void> => {
    const met = Promise.withResolvers<undefined>();
    const check = (): void => {
      if (table.get(id)?.met === true) met.resolve(undefined);
    };
    const unwatch = table.watch(check);
    const timer = clock.schedule(limits.memberDialTimeoutUs, () => {
      met.resolve(undefined);
    });
    const giveUp = (): void => {
      met.resolve(undefined);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    check();
    await met.promise;
    unwatch();
    timer.cancel();
    signal.removeEventListener('abort', giveUp);
  };

  const readiness = (): { ready: boolean; reason: string } => {
    if (bootstrap.kind === 'none') return { ready: true, reason: 'no bootstrap: alone by choice' };
    const met = Array.from(table.all()).filter((entry) => entry.met).length;
    if (met > 0) return { ready: true, reason: `${met} members known` };
    if (discovery.isSelfTheOnlyEntry()) return { ready: true, reason: 'bootstrap names this node alone' };
    return { ready: false, reason: 'no member met yet' };
  };
  const reported = { ready: false };
  const report = (): void => {
    const members = table.members();
    observer.onNode({
      type: 'members',
      total: members.length,
      connected: members.filter(({ connected }) => connected).length,
    });
    const now = readiness();
    if (now.ready === reported.ready) return;
    reported.ready = now.ready;
    observer.onNode({ type: 'ready', ...now });
  };
  table.watch(report);
  discovery.start();

  let disposed: Promise<void> | undefined;
  return {
    membership: { self, members: table.members, watch: table.watch },
    records: port.records,
    peerId: selfId,
    addresses: host.getMultiaddrs().map((address) => address.toString()),
    readiness,
    bootstrapDocument: () =>
      formatBootstrapDocument(
        selfId,
        announced().map((endpoint) => multiaddrOf(endpoint, transport).toString()),
      ),
    dispose: () => {
      disposed ??= (async () => {
        discovery.stop();
        port.dispose();
        dialer.dispose();
        await host.stop();
      })();
      return disposed;
    },
  };
}

function routerEndpoint(text: string, transport: RouterTransport, random: Random): Endpoint {
  const endpoint = parseEndpoint(text);
  const hasPort = transport === 'tcp' || endpoint.port !== 0;
  return hasPort ? endpoint : { ...endpoint, port: 1024 + random.fork('memory port').below(60_000) };
}

function factsOfKnown({ member, endpoints }: KnownMember): MemberFacts {
  const { id, registryPort, kind, zone, incarnation } = member;
  return { id, endpoints, registryPort, kind, zone, incarnation };
}

function isWorthTelling({ met, failingSinceUs }: KnownMember): boolean {
  return met && failingSinceUs === undefined;
}

function isExpected(connection: Connection, entry: BootstrapEntry): boolean {
  return entry.id === undefined || entry.id === connection.remotePeer.toString();
}

function prune(
  host: Libp2p,
  table: MemberTable,
  usedAtUs: ReadonlyMap<string, number>,
  self: Uint8Array,
  connectionsMax: number,
): void {
  const open = host.getConnections().map((connection) => {
    const id = connection.remotePeer.toString();
    return { connection, position: table.get(id)?.member.position, usedAtUs: usedAtUs.get(id) ?? 0 };
  });
  for (const connection of connectionsToClose(open, self, connectionsMax)) {
    void connection.close().catch(() => undefined);
  }
}
