import type { Connection } from '@libp2p/interface';
import { openScope, PeiliError, settleOrAbort, throwIfAborted } from '../../core/index.ts';
import type {
  Clock,
  Holder,
  LookupAnswer,
  Member,
  RecordBatch,
  Records,
  RecordsHandler,
  RoutingKey,
} from '../../core/index.ts';
import { unreachable } from './dialer.ts';
import type { Dialer } from './dialer.ts';
import { endpointOfBytes } from './endpoint.ts';
import { openKadChannel } from './kad-channel.ts';
import type { KadChannel } from './kad-channel.ts';
import { kadTypes, multihashOf } from './kad-codec.ts';
import type { KadPeer } from './kad-codec.ts';
import { spegelFacts } from './member-table.ts';
import type { MemberTable } from './member-table.ts';
import { positionOf } from './peer-ids.ts';
import type { PeerIds } from './peer-ids.ts';
import { openRecordsChannel } from './records-channel.ts';
import type { RecordsChannel, RecordsRequest } from './records-channel.ts';
import type { Hello, MemberFacts, RecordsMessage } from './records-codec.ts';

/** The Records port, and what discovery needs of the same streams. */
export interface RecordsPort {
  readonly records: Records;
  readonly handler: () => RecordsHandler | undefined;
  /** Opens our stream to a member of our kind, if it is not open, and so says hello. */
  greet(connection: Connection): Promise<void>;
  /** Asks a member whom it knows; all of them become hints. */
  askMembers(memberId: string, signal: AbortSignal): Promise<void>;
  /** Asks a Spegel node who is nearest to a key: unknown ones become hints, whose ids are the result. */
  findNodes(memberId: string, key: Uint8Array, signal: AbortSignal): Promise<readonly string[]>;
  dispose(): void;
}

export interface RecordsPortDeps {
  readonly clock: Clock;
  readonly ids: PeerIds;
  readonly table: MemberTable;
  readonly dialer: Dialer;
  readonly hello: () => Hello;
  readonly onHello: (connection: Connection, hello: Hello) => void;
  readonly selfPeer: () => KadPeer;
}

export interface RecordsPortOptions {
  readonly registryPort: number;
  readonly messageMaxBytes: number;
  readonly sendTimeoutUs: number;
  readonly closerMax: number;
  readonly holdersMax: number;
}

export function createRecordsPort(deps: RecordsPortDeps, options: RecordsPortOptions): RecordsPort {
  const { clock, ids, table, dialer } = deps;
  const life = openScope(new AbortController().signal);
  const state: { handler: RecordsHandler | undefined } = { handler: undefined };
  const channelOptions = { messageMaxBytes: options.messageMaxBytes, silenceMaxUs: options.sendTimeoutUs };

  const recordsChannels = createChannelPool<RecordsChannel>(dialer, life.signal, async (connection, signal) => {
    const channel = await openRecordsChannel(
      { clock, ids },
      connection,
      { hello: deps.hello(), ...channelOptions },
      signal,
    );
    deps.onHello(connection, channel.hello);
    return channel;
  });
  const kadChannels = createChannelPool<KadChannel>(dialer, life.signal, (connection, signal) =>
    openKadChannel(clock, connection, channelOptions, signal),
  );

  const request = (id: string, message: RecordsRequest, signal: AbortSignal): Promise<RecordsMessage> =>
    recordsChannels.use(id, signal, (channel) => channel.request(message, signal));

  const memberOf = (facts: MemberFacts): Member => {
    table.hint(facts);
    const known = table.get(facts.id)?.member;
    if (known !== undefined) return known;
    const addresses = facts.endpoints.map(({ host }) => host);
    const { id, registryPort, kind, zone, incarnation } = facts;
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
  };

  const memberOfPeer = (peer: KadPeer): Member | undefined => {
    const endpoints = peer.addresses.flatMap((address) => endpointOfBytes(address) ?? []);
    const id = ids.toText(peer.id);
    const isUseless = endpoints.length === 0 && table.get(id) === undefined;
    return isUseless ? undefined : memberOf(spegelFacts(id, endpoints, options.registryPort));
  };

  const askProviders = async (member: Member, key: RoutingKey, signal: AbortSignal): Promise<LookupAnswer> => {
    const answer = await kadChannels.use(member.id, signal, (channel) =>
      channel.ask(kadTypes.getProviders, multihashOf(key), signal),
    );
    return {
      holders: answer.providers.slice(0, options.holdersMax).flatMap((peer): Holder[] => {
        const holder = memberOfPeer(peer);
        return holder === undefined ? [] : [{ member: holder }];
      }),
      warming: false,
      closer: answer.closer.slice(0, options.closerMax).flatMap((peer) => memberOfPeer(peer) ?? []),
    };
  };

  const send = async (member: Member, batch: RecordBatch, signal: AbortSignal): Promise<void> => {
    if (member.kind === 'spegel') {
      const keys = batch.add.map(({ key }) => key);
      if (keys.length > 0)
        await kadChannels.use(member.id, signal, (channel) => channel.provide(keys, deps.selfPeer(), signal));
      return;
    }
    const answer = await request(member.id, { type: 'batch', batch }, signal);
    if (answer.type !== 'accepted') throw unreachable('the member answered something else');
  };

  const lookup = async (member: Member, key: RoutingKey, signal: AbortSignal): Promise<LookupAnswer> => {
    if (member.kind === 'spegel') return askProviders(member, key, signal);
    const message = await request(member.id, { type: 'lookup', key }, signal);
    if (message.type !== 'answer') throw unreachable('the member answered something else');
    const { holders, warming, closer } = message.answer;
    return {
      holders: holders.slice(0, options.holdersMax).map((holder) => ({ ...holder, member: memberOf(holder.member) })),
      warming,
      closer: closer.slice(0, options.closerMax).map(memberOf),
    };
  };

  return {
    records: {
      send,
      lookup,
      serve: (handler) => {
        state.handler = handler;
        return () => {
          if (state.handler === handler) state.handler = undefined;
        };
      },
    },
    handler: () => state.handler,
    greet: async (connection) => {
      await recordsChannels.open(connection);
    },
    askMembers: async (memberId, signal) => {
      const answer = await request(memberId, { type: 'members-wanted' }, signal);
      if (answer.type === 'members') answer.members.forEach((facts) => void table.hint(facts));
    },
    findNodes: async (memberId, key, signal) => {
      const answer = await kadChannels.use(memberId, signal, (channel) => channel.ask(kadTypes.findNode, key, signal));
      const strangers = answer.closer.filter(({ id }) => table.get(ids.toText(id)) === undefined);
      return strangers.flatMap((peer) => memberOfPeer(peer)?.id ?? []);
    },
    dispose: () => {
      life.abort();
      life.close();
    },
  };
}

interface Channel {
  isOpen(): boolean;
}

interface ChannelPool<C extends Channel> {
  open(connection: Connection): Promise<C>;
  /** Runs a call on the member's channel; once more on a new one if that was found dead. */
  use<T>(id: string, signal: AbortSignal, call: (channel: C) => Promise<T>): Promise<T>;
}

/** One channel for each member, opened on need. An open that its first user gave up goes on for the next. */
function createChannelPool<C extends Channel>(
  dialer: Dialer,
  life: AbortSignal,
  openChannel: (connection: Connection, signal: AbortSignal) => Promise<C>,
): ChannelPool<C> {
  const open = new Map<string, C>();
  const opening = new Map<string, Promise<C>>();

  const openOnce = (id: string, connect: () => Promise<Connection>): Promise<C> => {
    const underway = opening.get(id);
    if (underway !== undefined) return underway;
    const start = async (): Promise<C> => {
      try {
        const channel = await openChannel(await connect(), life);
        open.set(id, channel);
        return channel;
      } finally {
        opening.delete(id);
      }
    };
    const started = start();
    opening.set(id, started);
    started.catch(() => undefined);
    return started;
  };

  const channelTo = async (id: string, signal: AbortSignal): Promise<C> => {
    const channel = open.get(id);
    if (channel?.isOpen() === true) return channel;
    open.delete(id);
    return settleOrAbort(
      openOnce(id, () => dialer.connect(id, life)),
      signal,
    );
  };

  return {
    open: (connection) => openOnce(connection.remotePeer.toString(), () => Promise.resolve(connection)),
    use: async (id, signal, call) => {
      throwIfAborted(signal);
      const hadChannel = open.get(id)?.isOpen() === true;
      try {
        const channel = await channelTo(id, signal);
        try {
          return await call(channel);
        } catch (thrown) {
          throwIfAborted(signal);
          if (!hadChannel || channel.isOpen()) throw thrown;
          return await call(await channelTo(id, signal));
        }
      } catch (thrown) {
        throwIfAborted(signal);
        throw thrown instanceof PeiliError && thrown.code !== 'ABORTED'
          ? thrown
          : unreachable(`${id} could not be asked`, thrown);
      }
    },
  };
}
