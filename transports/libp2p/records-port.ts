import type { Connection } from '@libp2p/interface';
import { openScope } from '../../core/index.ts';
import type {
  Clock,
  LookupAnswer,
  Member,
  RecordBatch,
  Records,
  RecordsHandler,
  RoutingKey,
} from '../../core/index.ts';
import { createChannelPool } from './channel-pool.ts';
import { unreachable } from './dialer.ts';
import type { Dialer } from './dialer.ts';
import type { HalfMessages } from './half-messages.ts';
import { openKadChannel } from './kad-channel.ts';
import type { KadChannel } from './kad-channel.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { PeerIds } from './peer-ids.ts';
import { openRecordsChannel } from './records-channel.ts';
import type { RecordsChannel, RecordsRequest } from './records-channel.ts';
import type { Hello, RecordsMessage } from './records-codec.ts';
import { createSpegelRecords } from './spegel-records.ts';
import type { SpegelRecords } from './spegel-records.ts';

/** The Records port, and what discovery needs of the same streams. */
export interface RecordsPort {
  readonly records: Records;
  readonly handler: () => RecordsHandler | undefined;
  /** Opens our stream to a member of our kind, and so says hello. */
  greet(connection: Connection): Promise<void>;
  /** Asks a member of our kind whom it knows; all of them become hints. */
  askMembers(memberId: string, signal: AbortSignal): Promise<void>;
  findNodes: SpegelRecords['findNodes'];
  dispose(): void;
}

export interface RecordsPortDeps {
  readonly clock: Clock;
  readonly ids: PeerIds;
  readonly dialer: Dialer;
  readonly directory: MemberDirectory;
  readonly onHello: (connection: Connection, hello: Hello) => void;
}

export interface RecordsPortOptions {
  readonly registryPort: number;
  readonly messageMaxBytes: number;
  readonly halfMessages: HalfMessages;
  readonly openTimeoutUs: number;
  /** A member that was asked and says nothing for so long is out of reach. */
  readonly silenceMaxUs: number;
  readonly closerMax: number;
  readonly holdersMax: number;
}

export function createRecordsPort(deps: RecordsPortDeps, options: RecordsPortOptions): RecordsPort {
  const { clock, ids, dialer, directory } = deps;
  const life = openScope(new AbortController().signal);
  const state: { handler: RecordsHandler | undefined } = { handler: undefined };

  const openOurs = async (connection: Connection, signal: AbortSignal): Promise<RecordsChannel> => {
    const channel = await openRecordsChannel(
      { clock, ids },
      connection,
      { ...options, hello: directory.hello() },
      signal,
    );
    deps.onHello(connection, channel.hello);
    return channel;
  };
  const openKad = (connection: Connection, signal: AbortSignal): Promise<KadChannel> =>
    openKadChannel(clock, connection, options, signal);
  const pools = { clock, dialer, life: life.signal };
  const channels = createChannelPool({ ...pools, openChannel: openOurs }, options.openTimeoutUs);
  const kadChannels = createChannelPool({ ...pools, openChannel: openKad }, options.openTimeoutUs);
  const spegel = createSpegelRecords({ ids, directory, channels: kadChannels }, options);

  const request = (id: string, message: RecordsRequest, signal: AbortSignal): Promise<RecordsMessage> =>
    channels.use(id, signal, (channel) => channel.request(message, signal));

  const send = async (member: Member, batch: RecordBatch, signal: AbortSignal): Promise<void> => {
    if (member.kind === 'spegel') {
      const keys = batch.add.map(({ key }) => key);
      if (keys.length > 0) await spegel.provide(member.id, keys, signal);
      return;
    }
    const answer = await request(member.id, { type: 'batch', batch }, signal);
    if (answer.type !== 'accepted') throw unreachable('the member answered something else');
  };

  const lookup = async (member: Member, key: RoutingKey, signal: AbortSignal): Promise<LookupAnswer> => {
    if (member.kind === 'spegel') return spegel.findProviders(member.id, key, signal);
    const message = await request(member.id, { type: 'lookup', key }, signal);
    if (message.type !== 'answer') throw unreachable('the member answered something else');
    const { holders, warming, closer } = message.answer;
    return {
      holders: holders
        .slice(0, options.holdersMax)
        .map((holder) => ({ ...holder, member: directory.hint(holder.member) })),
      warming,
      closer: closer.slice(0, options.closerMax).map(directory.hint),
    };
  };

  return {
    records: {
      send,
      lookup,
      isConnected: ({ id }) => dialer.isConnected(id),
      serve: (handler) => serveWith(state, handler),
    },
    handler: () => state.handler,
    greet: async (connection) => {
      await channels.open(connection);
    },
    askMembers: async (memberId, signal) => {
      const answer = await request(memberId, { type: 'members-wanted' }, signal);
      if (answer.type === 'members') answer.members.forEach(directory.hint);
    },
    findNodes: spegel.findNodes,
    dispose: () => {
      life.abort();
      life.close();
    },
  };
}

function serveWith(state: { handler: RecordsHandler | undefined }, handler: RecordsHandler): () => void {
  state.handler = handler;
  return () => {
    if (state.handler === handler) state.handler = undefined;
  };
}
