import type { MemberKind } from '../../core/index.ts';
import { decodeEndpoint, encodeEndpoint } from './endpoint-bytes.ts';
import type { Endpoint } from './endpoint.ts';
import type { PeerIds } from './peer-ids.ts';
import { asBytes, asCount, asNumber, asPort, asText, createWireWriter, invalidMessage, readFields } from './wire.ts';

/** A member as others name it: a hint. */
export interface MemberFacts {
  readonly id: string;
  readonly endpoints: readonly Endpoint[];
  readonly registryPort: number;
  readonly kind: MemberKind;
  readonly zone: string;
  readonly incarnation: number;
}

export const zoneMaxBytes = 256;
/** Addresses read of one member: ours announce one, Spegel nodes a few. */
const endpointsMax = 8;

export function encodeMember(member: MemberFacts, ids: PeerIds): Uint8Array {
  const writer = createWireWriter(128)
    .bytes(1, ids.toBytes(member.id))
    .varint(3, member.registryPort)
    .varint(4, member.kind === 'spegel' ? 1 : 0)
    .text(5, member.zone)
    .varint(6, member.incarnation);
  for (const endpoint of member.endpoints) writer.bytes(2, encodeEndpoint(endpoint));
  return writer.finish();
}

export function decodeMember(payload: Uint8Array, ids: PeerIds): MemberFacts {
  let kind: MemberKind = 'peili';
  const member = { id: '', endpoints: new Array<Endpoint>(), registryPort: 0, zone: '', incarnation: 0 };
  readFields(payload, (field, value) => {
    if (field === 1) member.id = ids.toText(asBytes(value));
    else if (field === 2) addEndpoint(member.endpoints, asBytes(value));
    else if (field === 3) member.registryPort = asPort(asNumber(value));
    else if (field === 4) kind = asNumber(value) === 1 ? 'spegel' : 'peili';
    else if (field === 5) member.zone = asText(value, zoneMaxBytes);
    else if (field === 6) member.incarnation = asCount(asNumber(value));
  });
  if (member.id === '') throw invalidMessage('a member without an id');
  return { ...member, kind };
}

export function decodeMembers(payload: Uint8Array, ids: PeerIds): MemberFacts[] {
  const members: MemberFacts[] = [];
  readFields(payload, (field, value) => {
    if (field === 1) members.push(decodeMember(asBytes(value), ids));
  });
  return members;
}

export function addEndpoint(endpoints: Endpoint[], bytes: Uint8Array): void {
  const endpoint = decodeEndpoint(bytes);
  if (endpoints.length < endpointsMax) endpoints.push(endpoint);
}
