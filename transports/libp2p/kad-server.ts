import { hash } from 'node:crypto';
import type { Connection, Stream } from '@libp2p/interface';
import type { Member, RecordBatch, RecordsHandler } from '../../core/index.ts';
import { endpointOfBytes } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { createFramedStream } from './framed-stream.ts';
import type { HalfMessages } from './half-messages.ts';
import { decodeKadMessage, encodeKadMessage, kadTypes, routingKeyOf } from './kad-codec.ts';
import type { KadMessage, KadPeer } from './kad-codec.ts';
import type { MemberDirectory } from './member-directory.ts';
import type { PeerIds } from './peer-ids.ts';

export interface KadServerDeps {
  readonly ids: PeerIds;
  readonly directory: MemberDirectory;
  readonly handler: () => RecordsHandler | undefined;
  readonly memberOf: (id: string) => Member | undefined;
  /** The sender as it is known now, or as a Spegel node that is met this moment; undefined when there is no room for it. */
  readonly onKadPeer: (connection: Connection, endpoints: readonly Endpoint[]) => Member | undefined;
  /** Numbers the batches that ADD_PROVIDER messages become. */
  readonly nextSequence: () => number;
}

export interface KadServerOptions {
  readonly messageMaxBytes: number;
  readonly halfMessages: HalfMessages;
  /** How long what a Spegel node says holds: there is no withdrawal on its wire. */
  readonly recordTtlUs: number;
}

/** Kademlia's k. */
const closerMax = 20;

/** Answers one kad stream until it ends: routing from the members that are known, providers from the records' soft state. */
export function serveKad(deps: KadServerDeps, stream: Stream, connection: Connection, options: KadServerOptions): void {
  const framed = createFramedStream(stream, {
    messageMaxBytes: options.messageMaxBytes,
    halfMessages: options.halfMessages,
    pauseWhenFull: true,
    onEnd: () => undefined,
    onMessage: (bytes) => {
      const message = decodeKadMessage(bytes);
      if (message.type === kadTypes.addProvider) {
        keepProvider(deps, connection, message, options.recordTtlUs);
        return;
      }
      const answer = answerTo(deps, connection, message);
      if (answer !== undefined && stream.writeStatus === 'writable') framed.send(encodeKadMessage(answer));
    },
  });
}

function answerTo(deps: KadServerDeps, connection: Connection, message: KadMessage): KadMessage | undefined {
  const { type, key } = message;
  switch (type) {
    case kadTypes.ping:
      return message;
    case kadTypes.findNode: {
      const closer = closerTo(deps, connection, key);
      const self = deps.directory.selfPeer();
      // go-libp2p takes a node into its table only if it names itself when it is asked for itself.
      return { type, key, providers: [], closer: Buffer.from(self.id).equals(key) ? [self, ...closer] : closer };
    }
    case kadTypes.getProviders:
      return { type, key, providers: providersOf(deps, connection, key), closer: closerTo(deps, connection, key) };
    case kadTypes.getValue:
      return { type, key, providers: [], closer: closerTo(deps, connection, key) };
    default:
      // No values are kept here.
      return undefined;
  }
}

function closerTo(deps: KadServerDeps, connection: Connection, key: Uint8Array): KadPeer[] {
  const asker = deps.ids.toBytes(connection.remotePeer.toString());
  const nearest = deps.directory.nearestPeers(hash('sha256', key, 'buffer'), closerMax + 1);
  return nearest.filter(({ id }) => !Buffer.from(id).equals(asker)).slice(0, closerMax);
}

function providersOf(deps: KadServerDeps, connection: Connection, multihash: Uint8Array): KadPeer[] {
  const key = routingKeyOf(multihash);
  const answer =
    key === undefined ? undefined : deps.handler()?.onLookup(deps.memberOf(connection.remotePeer.toString()), key);
  return (answer?.holders ?? []).flatMap(({ member }) => deps.directory.peerOf(member) ?? []);
}

/** Only what the sender says of itself counts. */
function keepProvider(deps: KadServerDeps, connection: Connection, message: KadMessage, ttlUs: number): void {
  const key = routingKeyOf(message.key);
  const senderId = deps.ids.toBytes(connection.remotePeer.toString());
  const itself = message.providers.find(({ id }) => Buffer.from(id).equals(senderId));
  if (key === undefined || itself === undefined) return;
  const sender = deps.onKadPeer(
    connection,
    itself.addresses.flatMap((address) => endpointOfBytes(address) ?? []),
  );
  if (sender === undefined) return;
  const batch: RecordBatch = {
    incarnation: 0,
    sequence: deps.nextSequence(),
    complete: false,
    add: [{ key }],
    withdraw: [],
    ttlUs,
  };
  try {
    deps.handler()?.onBatch(sender, batch);
  } catch {
    // QUOTA_EXCEEDED: ADD_PROVIDER has no answer that could say so.
  }
}
