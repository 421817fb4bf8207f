import type { RoutingKey } from '../../core/index.ts';
import { asBytes, asNumber, createWireWriter, readFields } from './wire.ts';

/**
 * The Kademlia messages of libp2p (libp2p specs, kad-dht, "RPC messages") as far as Spegel speaks them.
 * One stream carries any number of them, each with its length before it.
 */
export const kadProtocol = '/spegel/kad/1.0.0';

export const kadTypes = Object.freeze({
  putValue: 0,
  getValue: 1,
  addProvider: 2,
  getProviders: 3,
  findNode: 4,
  ping: 5,
});

export interface KadMessage {
  /** One of `kadTypes`; others exist on the wire and are ignored. */
  readonly type: number;
  /** A multihash for provider messages, anything else for others. */
  readonly key: Uint8Array;
  readonly closer: readonly KadPeer[];
  readonly providers: readonly KadPeer[];
}

export interface KadPeer {
  /** Peer id bytes. */
  readonly id: Uint8Array;
  /** Multiaddrs in binary form. */
  readonly addresses: readonly Uint8Array[];
}

const multihashPrefix = Uint8Array.of(0x12, 0x20);
const multihashBytes = 34;

export function encodeKadMessage(message: KadMessage): Uint8Array {
  const writer = createWireWriter(256);
  // Proto3 leaves out what is zero; go-libp2p and js-libp2p take both.
  if (message.type !== 0) writer.varint(1, message.type);
  if (message.key.byteLength > 0) writer.bytes(2, message.key);
  for (const peer of message.closer) writer.bytes(8, encodePeer(peer));
  for (const peer of message.providers) writer.bytes(9, encodePeer(peer));
  return writer.finish();
}

/** Throws `RECORDS_INVALID`. */
export function decodeKadMessage(bytes: Uint8Array): KadMessage {
  const message = { type: 0, key: new Uint8Array(0), closer: new Array<KadPeer>(), providers: new Array<KadPeer>() };
  let key: Uint8Array = message.key;
  readFields(bytes, (field, value) => {
    if (field === 1) message.type = asNumber(value);
    else if (field === 2) key = asBytes(value);
    else if (field === 8) message.closer.push(decodePeer(asBytes(value)));
    else if (field === 9) message.providers.push(decodePeer(asBytes(value)));
  });
  return { ...message, key };
}

/** The kad key of a routing key: its sha2-256 multihash. */
export function multihashOf(key: RoutingKey): Uint8Array {
  return Buffer.concat([multihashPrefix, Buffer.from(key, 'hex')]);
}

/** The routing key of a kad key; undefined when it is not a sha2-256 multihash. */
export function routingKeyOf(multihash: Uint8Array): RoutingKey | undefined {
  const isSha256 = multihash.byteLength === multihashBytes && multihash[0] === 0x12 && multihash[1] === 0x20;
  return isSha256 ? Buffer.from(multihash.subarray(2)).toString('hex') : undefined;
}

function encodePeer(peer: KadPeer): Uint8Array {
  const writer = createWireWriter(96).bytes(1, peer.id);
  for (const address of peer.addresses) writer.bytes(2, address);
  return writer.finish();
}

function decodePeer(bytes: Uint8Array): KadPeer {
  let id: Uint8Array = new Uint8Array(0);
  const addresses: Uint8Array[] = [];
  readFields(bytes, (field, value) => {
    if (field === 1) id = asBytes(value);
    else if (field === 2) addresses.push(asBytes(value));
  });
  return { id, addresses };
}
