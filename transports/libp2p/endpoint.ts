import { isIP } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import type { Multiaddr } from '@multiformats/multiaddr';
import { PeiliError } from '../../core/index.ts';

/** Where a router listens: an IP address (IPv6 without brackets) and a port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `memory` connects nodes of one process under the same names, for tests. */
export type RouterTransport = 'tcp' | 'memory';

/** `host:port`, `[ipv6]:port` or `:port` (host empty: all addresses). Throws `ADDRESS_INVALID`. */
export function parseEndpoint(text: string): Endpoint {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[^:[\]]*)):(?<port>\d{1,5})$/.exec(text);
  const host = match?.groups?.['v6'] ?? match?.groups?.['v4'];
  const port = Number(match?.groups?.['port']);
  const isHostValid = host === '' || (host !== undefined && isIP(host) !== 0);
  if (!isHostValid || !(port <= 65_535)) {
    throw new PeiliError('ADDRESS_INVALID', `not an address to listen at: ${text}`, { address: text });
  }
  return { host, port };
}

export function endpointText(endpoint: Endpoint): string {
  return endpoint.host.includes(':') ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}

export function multiaddrOf(endpoint: Endpoint, transport: RouterTransport, peerId?: string): Multiaddr {
  const suffix = peerId === undefined ? '' : `/p2p/${peerId}`;
  if (transport === 'memory') return multiaddr(`/memory/${endpointText(endpoint)}${suffix}`);
  const family = endpoint.host.includes(':') ? 'ip6' : 'ip4';
  return multiaddr(`/${family}/${endpoint.host}/tcp/${endpoint.port}${suffix}`);
}

/** What a router address names, undefined when it is not of a kind that is dialled here (QUIC, names, relays). */
export function endpointOf(address: Multiaddr): Endpoint | undefined {
  const [first, second, third] = address.getComponents();
  if (first?.name === 'memory' && first.value !== undefined) return memoryEndpoint(first.value);
  const isPlain = third === undefined || third.name === 'p2p';
  if ((first?.name !== 'ip4' && first?.name !== 'ip6') || second?.name !== 'tcp' || !isPlain) return undefined;
  if (first.value === undefined) return undefined;
  return { host: unmapped(first.value), port: Number(second.value) };
}

/** The endpoint of an address in its binary form, undefined when it is not one or cannot be read. */
export function endpointOfBytes(bytes: Uint8Array): Endpoint | undefined {
  try {
    return endpointOf(multiaddr(bytes));
  } catch {
    return undefined;
  }
}

export function isSameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.host === b.host && a.port === b.port;
}

export function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}

export function isLinkLocal(host: string): boolean {
  return /^fe[89ab]/i.test(host) || host.startsWith('169.254.');
}

/**
 * The ONE address that is announced (Spegel v0.4.0 ignores a provider with any other number): the first that other
 * nodes can reach, IPv4 before IPv6; loopback only where nothing else is bound.
 */
export function announcedEndpoint(bound: readonly Endpoint[]): Endpoint | undefined {
  const reachable = bound.filter(({ host }) => !isLoopback(host) && !isLinkLocal(host));
  const candidates = reachable.length > 0 ? reachable : bound;
  return candidates.find(({ host }) => !host.includes(':')) ?? candidates[0];
}

/** Anybody may announce one: what could not be said on to others (all addresses, an IPv6 zone) is none. */
function memoryEndpoint(name: string): Endpoint | undefined {
  try {
    const endpoint = parseEndpoint(decodeURIComponent(name));
    return endpoint.host === '' || endpoint.host.includes('%') ? undefined : endpoint;
  } catch {
    return undefined;
  }
}

/** IPv4 in IPv6 (`::ffff:a00:7`, RFC 4291, 2.5.5.2) is IPv4: one member, one address. */
function unmapped(host: string): string {
  const match = /^::ffff:(?<high>[0-9a-f]{1,4}):(?<low>[0-9a-f]{1,4})$/i.exec(host);
  const [high, low] = [match?.groups?.['high'], match?.groups?.['low']];
  if (high === undefined || low === undefined) return host;
  return Buffer.from(high.padStart(4, '0') + low.padStart(4, '0'), 'hex').join('.');
}
