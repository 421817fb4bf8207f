import type { RecordBatch, RecordEntry, RoutingKey } from '../../core/index.ts';
import type { Endpoint } from './endpoint.ts';
import { encodeEndpoint } from './endpoint-bytes.ts';
import { addEndpoint, decodeMember, decodeMembers, encodeMember, zoneMaxBytes } from './member-codec.ts';
import type { MemberFacts } from './member-codec.ts';
import type { PeerIds } from './peer-ids.ts';
import { asBytes, asCount, asNumber, asPort, asText, createWireWriter, invalidMessage, readFields } from './wire.ts';
import type { WireWriter } from './wire.ts';

/**
 * The messages of `/peili/records/1`. Each is one protobuf-encoded envelope `{1: type, 2: request id, 3: payload}`;
 * fields and types that a reader does not know are skipped. Routing keys travel as 32 raw bytes.
 */
export const recordsProtocol = '/peili/records/1';

/** What a member says of itself in the first message each way. */
export interface Hello {
  readonly registryPort: number;
  readonly zone: string;
  readonly incarnation: number;
  /** Of the program, for people. */
  readonly version: string;
  readonly endpoints: readonly Endpoint[];
}

export interface HolderFacts {
  readonly member: MemberFacts;
  readonly tag?: { readonly digest: string; readonly ageUs: number };
  readonly freeSlots?: number;
}

export interface AnswerFacts {
  readonly holders: readonly HolderFacts[];
  readonly warming: boolean;
  readonly closer: readonly MemberFacts[];
}

export type RecordsMessage =
  | { readonly type: 'hello'; readonly hello: Hello }
  | { readonly type: 'batch'; readonly id: number; readonly batch: RecordBatch }
  | { readonly type: 'accepted'; readonly id: number }
  /** The answer to a request that could not be carried out: a code of the error table. */
  | { readonly type: 'refused'; readonly id: number; readonly code: string }
  | { readonly type: 'lookup'; readonly id: number; readonly key: RoutingKey }
  | { readonly type: 'answer'; readonly id: number; readonly answer: AnswerFacts }
  | { readonly type: 'members-wanted'; readonly id: number }
  | { readonly type: 'members'; readonly id: number; readonly members: readonly MemberFacts[] };

const typeNumbers = {
  hello: 1,
  batch: 2,
  accepted: 3,
  refused: 4,
  lookup: 5,
  answer: 6,
  'members-wanted': 7,
  members: 8,
} as const satisfies Record<RecordsMessage['type'], number>;

const keyBytes = 32;
const textMaxBytes = 512;
const emptyPayload = new Uint8Array(0);

export function encodeRecordsMessage(message: RecordsMessage, ids: PeerIds): Uint8Array {
  const writer = createWireWriter(512).varint(1, typeNumbers[message.type]);
  if (message.type !== 'hello') writer.varint(2, message.id);
  const payload = encodePayload(message, ids);
  if (payload !== undefined) writer.bytes(3, payload);
  return writer.finish();
}

/** Undefined for a type of a later version. Throws `RECORDS_INVALID`. */
export function decodeRecordsMessage(bytes: Uint8Array, ids: PeerIds): RecordsMessage | undefined {
  let type = 0;
  let id = 0;
  let payload: Uint8Array = emptyPayload;
  readFields(bytes, (field, value) => {
    if (field === 1) type = asNumber(value);
    else if (field === 2) id = asNumber(value);
    else if (field === 3) payload = asBytes(value);
  });
  switch (type) {
    case typeNumbers.hello:
      return { type: 'hello', hello: decodeHello(payload) };
    case typeNumbers.batch:
      return { type: 'batch', id, batch: decodeBatch(payload) };
    case typeNumbers.accepted:
      return { type: 'accepted', id };
    case typeNumbers.refused:
      return { type: 'refused', id, code: asText(payload, textMaxBytes) };
    case typeNumbers.lookup:
      return { type: 'lookup', id, key: decodeKey(payload) };
    case typeNumbers.answer:
      return { type: 'answer', id, answer: decodeAnswer(payload, ids) };
    case typeNumbers['members-wanted']:
      return { type: 'members-wanted', id };
    case typeNumbers.members:
      return { type: 'members', id, members: decodeMembers(payload, ids) };
    default:
      return undefined;
  }
}

function encodePayload(message: RecordsMessage, ids: PeerIds): Uint8Array | undefined {
  switch (message.type) {
    case 'hello':
      return encodeHello(message.hello);
    case 'batch':
      return encodeBatch(message.batch);
    case 'refused':
      return Buffer.from(message.code);
    case 'lookup':
      return encodeKey(message.key);
    case 'answer':
      return encodeAnswer(message.answer, ids);
    case 'members': {
      const writer = createWireWriter(message.members.length * 80 + 16);
      for (const member of message.members) writer.bytes(1, encodeMember(member, ids));
      return writer.finish();
    }
    case 'accepted':
    case 'members-wanted':
      return undefined;
  }
}

function encodeHello(hello: Hello): Uint8Array {
  const writer = createWireWriter()
    .varint(1, hello.registryPort)
    .text(2, hello.zone)
    .varint(3, hello.incarnation)
    .text(4, hello.version);
  for (const endpoint of hello.endpoints) writer.bytes(5, encodeEndpoint(endpoint));
  return writer.finish();
}

function decodeHello(payload: Uint8Array): Hello {
  const hello = { registryPort: 0, zone: '', incarnation: 0, version: '', endpoints: new Array<Endpoint>() };
  readFields(payload, (field, value) => {
    if (field === 1) hello.registryPort = asPort(asNumber(value));
    else if (field === 2) hello.zone = asText(value, zoneMaxBytes);
    else if (field === 3) hello.incarnation = asCount(asNumber(value));
    else if (field === 4) hello.version = asText(value, textMaxBytes);
    else if (field === 5) addEndpoint(hello.endpoints, asBytes(value));
  });
  if (hello.registryPort === 0) throw invalidMessage('a hello without a registry port');
  return hello;
}

function encodeBatch(batch: RecordBatch): Uint8Array {
  const writer = createWireWriter((batch.add.length + batch.withdraw.length) * keyBytes + 256)
    .varint(1, batch.incarnation)
    .varint(2, batch.sequence)
    .varint(3, batch.complete ? 1 : 0)
    .varint(4, batch.ttlUs);
  if (batch.freeSlots !== undefined) writer.varint(5, batch.freeSlots);
  writeKeys(
    writer,
    6,
    batch.add.filter((entry) => entry.tag === undefined).map((entry) => entry.key),
  );
  for (const { key, tag } of batch.add) {
    if (tag === undefined) continue;
    const entry = createWireWriter(160).bytes(1, encodeKey(key)).text(2, tag.digest).varint(3, tag.ageUs);
    writer.bytes(7, entry.finish());
  }
  writeKeys(writer, 8, batch.withdraw);
  return writer.finish();
}

function decodeBatch(payload: Uint8Array): RecordBatch {
  const batch = {
    incarnation: 0,
    sequence: 0,
    complete: false,
    ttlUs: 0,
    add: new Array<RecordEntry>(),
    withdraw: new Array<RoutingKey>(),
  };
  let freeSlots: number | undefined;
  readFields(payload, (field, value) => {
    if (field === 1) batch.incarnation = asCount(asNumber(value));
    else if (field === 2) batch.sequence = asCount(asNumber(value));
    else if (field === 3) batch.complete = asNumber(value) === 1;
    else if (field === 4) batch.ttlUs = asCount(asNumber(value));
    else if (field === 5) freeSlots = asCount(asNumber(value));
    else if (field === 6) for (const key of readKeys(asBytes(value))) batch.add.push({ key });
    else if (field === 7) batch.add.push(decodeTagEntry(asBytes(value)));
    else if (field === 8) for (const key of readKeys(asBytes(value))) batch.withdraw.push(key);
  });
  return freeSlots === undefined ? batch : { ...batch, freeSlots };
}

function decodeTagEntry(payload: Uint8Array): RecordEntry {
  let key: RoutingKey | undefined;
  const tag = { digest: '', ageUs: 0 };
  readFields(payload, (field, value) => {
    if (field === 1) key = decodeKey(asBytes(value));
    else if (field === 2) tag.digest = asText(value, textMaxBytes);
    else if (field === 3) tag.ageUs = asCount(asNumber(value));
  });
  if (key === undefined) throw invalidMessage('an entry without a key');
  return { key, tag };
}

function encodeAnswer(answer: AnswerFacts, ids: PeerIds): Uint8Array {
  const writer = createWireWriter(answer.holders.length * 90 + answer.closer.length * 80 + 64);
  for (const { member, tag, freeSlots } of answer.holders) {
    const holder = createWireWriter(160).bytes(1, encodeMember(member, ids));
    if (tag !== undefined) holder.text(2, tag.digest).varint(3, tag.ageUs);
    if (freeSlots !== undefined) holder.varint(4, freeSlots);
    writer.bytes(1, holder.finish());
  }
  writer.varint(2, answer.warming ? 1 : 0);
  for (const member of answer.closer) writer.bytes(3, encodeMember(member, ids));
  return writer.finish();
}

function decodeAnswer(payload: Uint8Array, ids: PeerIds): AnswerFacts {
  const answer = { holders: new Array<HolderFacts>(), warming: false, closer: new Array<MemberFacts>() };
  readFields(payload, (field, value) => {
    if (field === 1) answer.holders.push(decodeHolder(asBytes(value), ids));
    else if (field === 2) answer.warming = asNumber(value) === 1;
    else if (field === 3) answer.closer.push(decodeMember(asBytes(value), ids));
  });
  return answer;
}

function decodeHolder(payload: Uint8Array, ids: PeerIds): HolderFacts {
  let member: MemberFacts | undefined;
  let digest: string | undefined;
  let ageUs = 0;
  let freeSlots: number | undefined;
  readFields(payload, (field, value) => {
    if (field === 1) member = decodeMember(asBytes(value), ids);
    else if (field === 2) digest = asText(value, textMaxBytes);
    else if (field === 3) ageUs = asCount(asNumber(value));
    else if (field === 4) freeSlots = asCount(asNumber(value));
  });
  if (member === undefined) throw invalidMessage('a holder without a member');
  return {
    member,
    ...(digest === undefined ? {} : { tag: { digest, ageUs } }),
    ...(freeSlots === undefined ? {} : { freeSlots }),
  };
}

function encodeKey(key: RoutingKey): Uint8Array {
  const bytes = Buffer.from(key, 'hex');
  if (bytes.byteLength !== keyBytes) throw invalidMessage('a routing key has 64 hex characters');
  return bytes;
}

function decodeKey(bytes: Uint8Array): RoutingKey {
  if (bytes.byteLength !== keyBytes) throw invalidMessage('a routing key has 32 bytes');
  return Buffer.from(bytes.buffer, bytes.byteOffset, keyBytes).toString('hex');
}

function writeKeys(writer: WireWriter, field: number, keys: readonly RoutingKey[]): void {
  if (keys.length > 0) writer.bytes(field, Buffer.concat(keys.map(encodeKey)));
}

function readKeys(bytes: Uint8Array): RoutingKey[] {
  if (bytes.byteLength % keyBytes !== 0) throw invalidMessage('a cut list of keys');
  return Array.from({ length: bytes.byteLength / keyBytes }, (_, index) =>
    decodeKey(bytes.subarray(index * keyBytes, (index + 1) * keyBytes)),
  );
}
