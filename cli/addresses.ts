import { isIP } from 'node:net';
import { PeiliError } from '../core/index.ts';

/** Where something listens. */
export interface ListenAddress {
  /** Undefined: all addresses. IPv6 without brackets. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
}

const namePattern = /^(?!-)[A-Za-z0-9-]{1,63}(?:\.(?!-)[A-Za-z0-9-]{1,63})*\.?$/;

/** `host:port`, `[ipv6]:port` or `:port`. Throws `ADDRESS_INVALID` with the mend as message. */
export function parseListenAddress(text: string): ListenAddress {
  if (text.includes('/')) throw invalid('give host:port or :port, without a scheme or a path');
  if (isIP(text) === 6) throw invalid(`put the IPv6 address in brackets and add a port, as in [${text}]:5000`);
  const { v6, name, port } = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^:[\]]*)):(?<port>\d+)$/.exec(text)?.groups ?? {};
  if (port === undefined) throw invalid('give host:port or :port, IPv6 in brackets');
  if (Number(port) > 65_535) throw invalid('give a port from 0 to 65535');
  if (v6 !== undefined && isIP(v6) !== 6) throw invalid('only an IPv6 address stands in brackets, as in [::1]:5000');
  if (name !== undefined && name !== '' && !isHost(name))
    throw invalid('give an IP address or a host name before the port');
  const host = v6 ?? name;
  return { host: host === '' ? undefined : host, port: Number(port) };
}

/** As `parseListenAddress`, but the host is an IP address: it becomes part of what other members are told. */
export function parseRouterAddress(text: string): ListenAddress {
  const address = parseListenAddress(text);
  if (address.host !== undefined && isIP(address.host) === 0) {
    throw invalid('give an IP address or nothing before the port: other members are told where to dial');
  }
  return address;
}

export function formatAddress({ host = '', port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A name for DNS to look up. Throws `ADDRESS_INVALID`. */
export function parseDomain(text: string): string {
  if (namePattern.test(text) && text.length <= 254) return text;
  throw invalid('give a domain name, such as peili-bootstrap.peili.svc.cluster.local');
}

/** Where a bootstrap document is fetched from. Throws `ADDRESS_INVALID`. */
export function parseHttpUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '') return text;
  throw invalid('give a URL such as http://10.0.0.7:5002/id');
}

/** A router of another node. Throws `ADDRESS_INVALID`. */
export function parseRouterPeer(text: string): string {
  const [, family, ip = '', port] = /^\/(ip[46])\/([^/]+)\/tcp\/(\d{1,5})(?:\/p2p\/\w+)?$/.exec(text) ?? [];
  if (family !== undefined && isIP(ip) === Number(family.slice(2)) && Number(port) <= 65_535) return text;
  throw invalid('give a multiaddr such as /ip4/10.0.0.7/tcp/5001, with /p2p/<peer id> after it where that is known');
}

function isHost(name: string): boolean {
  // What looks like an IPv4 address is one: 10.0.0.256 is a slip, no name.
  return /^[\d.]+$/.test(name) ? isIP(name) === 4 : namePattern.test(name);
}

function invalid(mend: string): PeiliError {
  return new PeiliError('ADDRESS_INVALID', mend);
}
