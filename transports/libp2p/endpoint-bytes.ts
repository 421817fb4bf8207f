import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { Endpoint } from './endpoint.ts';
import { invalidMessage } from './wire.ts';

/** 4 or 16 bytes of the IP address, 2 of the port. */
export function encodeEndpoint({ host, port }: Endpoint): Uint8Array {
  const address = isIPv4(host) ? Uint8Array.from(host.split('.'), Number) : ipv6Bytes(host);
  return Buffer.concat([address, Uint8Array.of(port >> 8, port & 0xff)]);
}

/** Throws `RECORDS_INVALID`. */
export function decodeEndpoint(bytes: Uint8Array): Endpoint {
  if (bytes.byteLength !== 6 && bytes.byteLength !== 18) throw invalidMessage('an address of neither 6 nor 18 bytes');
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const address = view.subarray(0, bytes.byteLength - 2);
  const port = view.readUInt16BE(bytes.byteLength - 2);
  return { host: address.byteLength === 4 ? address.join('.') : ipv6Text(address), port };
}

function ipv6Bytes(host: string): Uint8Array {
  if (!isIPv6(host)) throw invalidMessage(`not an IP address: ${host}`);
  const { address } = new SocketAddress({ family: 'ipv6', address: host });
  const [left = '', right] = mappedToHex(address).split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const bytes = Buffer.alloc(16);
  head.forEach((group, index) => void bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2));
  tail.forEach((group, index) => void bytes.writeUInt16BE(Number.parseInt(group, 16), 16 - (tail.length - index) * 2));
  return bytes;
}

function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new SocketAddress({ family: 'ipv6', address: groups.join(':') }).address;
}

/** The last four bytes of an IPv6 address may be written as IPv4 (RFC 4291, 2.2). */
function mappedToHex(address: string): string {
  const match = /^(?<head>.*:)(?<a>\d+)\.(?<b>\d+)\.(?<c>\d+)\.(?<d>\d+)$/.exec(address);
  const groups = match?.groups;
  if (groups === undefined) return address;
  const [a = 0, b = 0, c = 0, d = 0] = ['a', 'b', 'c', 'd'].map((name) => Number(groups[name]));
  return `${groups['head']}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
