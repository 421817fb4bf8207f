import type { Libp2p } from '@libp2p/interface';
import type { Clock, Limits, Member, Membership, Observer, Random, Records } from '../../core/index.ts';
import { createBootstrap, formatBootstrapDocument, systemSources } from './bootstrap.ts';
import type { Bootstrap, BootstrapOptions, BootstrapSources } from './bootstrap.ts';
import { createDialer } from './dialer.ts';
import type { Dialer } from './dialer.ts';
import { createDiscovery } from './discovery.ts';
import type { Discovery, Visit } from './discovery.ts';
import { endpointOf, multiaddrOf, parseEndpoint } from './endpoint.ts';
import type { Endpoint, RouterTransport } from './endpoint.ts';
import { createGossip } from './gossip.ts';
import { createHalfMessages } from './half-messages.ts';
import { startHost } from './host.ts';
import { loadIdentity } from './identity.ts';
import { createMeetings } from './meetings.ts';
import type { Meetings } from './meetings.ts';
import { createMemberDirectory } from './member-directory.ts';
import type { MemberDirectory } from './member-directory.ts';
import { createMemberTable } from './member-table.ts';
import type { MemberTable } from './member-table.ts';
import { createPeerIds, positionOf } from './peer-ids.ts';
import type { PeerIds } from './peer-ids.ts';
import { createReadiness } from './readiness.ts';
import type { RouterReadiness } from './readiness.ts';
import { createRecordsPort } from './records-port.ts';
import type { RecordsPort } from './records-port.ts';
import { serveProtocols } from './serving.ts';

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
  /** The router multiaddrs that are announced, with the peer id: exactly one. */
  readonly addresses: readonly string[];
  readiness(): RouterReadiness;
  /** What Spegel's HTTP bootstrap reads, `{"ID","Addrs"}`: for whoever serves `/id`. */
  bootstrapDocument(): string;
  /** Ends everything: connections, listeners, timers. Idempotent. */
  dispose(): Promise<void>;
}

/** Strangers dialled at once: enough to meet a small cluster in one round, few enough that a large one is not stormed. */
const strangersMax = 16;
/** Connections beyond those held, as members come and go, until libp2p refuses. */
const connectionsWallFactor = 4;

/**
 * A member of the cluster over libp2p: who else is in it, and the records' wire. Resolves when it listens; bootstrap goes on behind.
 * Rejects with `ADDRESS_INVALID`, `ADDRESS_IN_USE`, `OPTION_INVALID` or `IDENTITY_INVALID`.
 */
export async function createLibp2pNode(deps: Libp2pNodeDeps, options: Libp2pNodeOptions): Promise<Libp2pNode> {
  const { clock, random, observer } = deps;
  const { limits } = options;
  const transport = options.transport ?? 'tcp';
  const listen = routerEndpoint(options.routerAddress, transport, random);
  const state: { endpoints: readonly Endpoint[] } = { endpoints: [listen] };
  const bootstrap = createBootstrap(
    deps.bootstrapSources ?? systemSources,
    options.bootstrap,
    () => state.endpoints[0]?.port ?? listen.port,
  );
  const privateKey = await loadIdentity(options.dataDir);
  const host = await startHost({
    listen,
    transport,
    privateKey,
    connectionsMax: limits.connectionsMax * connectionsWallFactor,
  });
  const ownEndpoints = (): readonly Endpoint[] => state.endpoints;
  state.endpoints = host.getMultiaddrs().flatMap((address) => endpointOf(address) ?? []);

  const ids = createPeerIds(limits.membersMax * 2);
  const self = describeSelf(host, ids, ownEndpoints(), clock, options);
  const table = createMemberTable(
    { ids, nowUs: () => clock.nowUs() },
    { selfId: self.id, membersMax: limits.membersMax, retryUs: limits.memberRetryUs, forgetUs: limits.recordTtlUs },
  );
  const directory = createMemberDirectory(
    { ids, table, self, ownEndpoints },
    { transport, version: options.version ?? '' },
  );
  const meetings = createMeetings({ host, clock, table, self }, limits.connectionsMax);
  const dialer = createDialer(
    { node: host, table, clock, touch: meetings.touch },
    { transport, dialTimeoutUs: limits.memberDialTimeoutUs },
  );
  const halfMessages = createHalfMessages(limits.halfMessagesMaxBytes);
  const port = createRecordsPort(
    { clock, ids, dialer, directory, onHello: meetings.onHello },
    {
      registryPort: options.registryPort,
      messageMaxBytes: limits.recordsMessageMaxBytes,
      halfMessages,
      openTimeoutUs: limits.memberDialTimeoutUs,
      silenceMaxUs: limits.recordsSendTimeoutUs,
      closerMax: limits.closerPerAnswerMax,
      holdersMax: limits.holdersPerAnswerMax,
    },
  );
  const unwatch = meetings.watch(port.greet);
  await serveProtocols({ host, ids, directory, meetings, handler: port.handler, halfMessages }, limits);
  const parts: Parts = { deps, limits, bootstrap, table, directory, meetings, dialer, port, ids };
  const ask = asker(parts);
  const discovery = discoveryOf(parts, ask, ownEndpoints, () => {
    readiness.report();
  });
  const readiness = createReadiness(
    { observer, table, isSelfTheOnlyEntry: discovery.isSelfTheOnlyEntry },
    bootstrap.kind,
  );
  const gossip = createGossip(
    { clock, random: random.fork('gossip'), table, ask },
    limits.bootstrapRetryMinUs,
    limits.dnsIntervalUs,
  );
  table.watch(readiness.report);
  discovery.start();
  gossip.start(0);

  let disposed: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    unwatch();
    discovery.stop();
    gossip.stop();
    port.dispose();
    dialer.dispose();
    // An orderly close waits for the other side, half a second for each that closes as well; nothing is lost with it.
    for (const connection of host.getConnections()) connection.abort(new Error('this node ends'));
    await host.stop();
  };
  return {
    membership: { self, members: table.members, watch: table.watch },
    records: port.records,
    peerId: self.id,
    addresses: host.getMultiaddrs().map((address) => address.toString()),
    readiness: readiness.now,
    bootstrapDocument: () =>
      formatBootstrapDocument(
        self.id,
        ownEndpoints().map((endpoint) => multiaddrOf(endpoint, transport).toString()),
      ),
    dispose: () => {
      disposed ??= stop();
      return disposed;
    },
  };
}

type Ask = (memberId: string, signal: AbortSignal) => Promise<void>;

interface Parts {
  readonly deps: Libp2pNodeDeps;
  readonly limits: Limits;
  readonly bootstrap: Bootstrap;
  readonly table: MemberTable;
  readonly directory: MemberDirectory;
  readonly meetings: Meetings;
  readonly dialer: Dialer;
  readonly port: RecordsPort;
  readonly ids: PeerIds;
}

function discoveryOf(parts: Parts, ask: Ask, ownEndpoints: () => readonly Endpoint[], onRound: () => void): Discovery {
  const { deps, limits, bootstrap, table, directory, meetings, dialer } = parts;
  const visit = async ({ endpoint, id }: Visit, signal: AbortSignal): Promise<void> => {
    const connection = await dialer.dialEndpoint(endpoint, signal);
    if (connection === undefined) return;
    const answered = connection.remotePeer.toString();
    if (id !== undefined && id !== answered) {
      await connection.close();
      return;
    }
    await meetings.untilMet(answered, limits.memberDialTimeoutUs, signal);
    // Who has just been met knows others; if not, gossip asks again.
    void ask(answered, signal).catch(() => undefined);
  };
  return createDiscovery(
    {
      clock: deps.clock,
      random: deps.random.fork('discovery'),
      bootstrap,
      table,
      selfId: directory.self.id,
      ownEndpoints,
      visit,
      onRound,
    },
    {
      retryMinUs: limits.bootstrapRetryMinUs,
      retryMaxUs: limits.bootstrapRetryMaxUs,
      intervalUs: limits.dnsIntervalUs,
      visitsMax: strangersMax,
      resolveTimeoutUs: limits.memberDialTimeoutUs,
    },
  );
}

/** Asks a member whom it knows, in its language. */
function asker({ deps, table, directory, dialer, port, ids }: Parts): Ask {
  const random = deps.random.fork('questions');
  return async (memberId, signal) => {
    if (table.get(memberId)?.member.kind === 'peili') {
      await port.askMembers(memberId, signal);
      return;
    }
    // Its neighbours first of all, then whoever is near some place: an answer has twenty at most.
    const isFirst = table.members().length < strangersMax;
    const key = isFirst ? ids.toBytes(directory.self.id) : Uint8Array.from({ length: 32 }, () => random.below(256));
    const strangers = await port.findNodes(memberId, key, signal);
    await Promise.allSettled(strangers.slice(0, strangersMax).map((id) => dialer.connect(id, signal)));
  };
}

function describeSelf(
  host: Libp2p,
  ids: PeerIds,
  endpoints: readonly Endpoint[],
  clock: Clock,
  { registryPort, zone }: Libp2pNodeOptions,
): Member {
  const id = host.peerId.toString();
  return Object.freeze({
    id,
    position: positionOf(ids.toBytes(id)),
    addresses: endpoints.map((endpoint) => endpoint.host),
    registryPort,
    kind: 'peili',
    zone,
    // The wall clock's milliseconds: nothing is stored, and a later start has a higher one.
    incarnation: Math.floor(clock.wallUs() / 1000),
    connected: true,
  });
}

function routerEndpoint(text: string, transport: RouterTransport, random: Random): Endpoint {
  const endpoint = parseEndpoint(text);
  const hasPort = transport === 'tcp' || endpoint.port !== 0;
  return hasPort ? endpoint : { ...endpoint, port: 1024 + random.fork('memory port').below(60_000) };
}
