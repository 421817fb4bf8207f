export type Family = 'ipv4' | 'ipv6';

/** The addresses of one cluster: the bridge is 1, the upstream 2, the nodes from 11 on. */
export interface AddressPlan {
  readonly family: Family;
  /** The one of a host, plain: `10.77.0.11`, `fd77::11`. */
  address(host: number): string;
  /** With the prefix length, as `ip addr add` wants it. */
  withPrefix(host: number): string;
  /** As a URL has it: IPv6 in brackets. */
  urlHost(host: number): string;
  /** Where a node reaches itself, as a URL has it. */
  readonly loopback: string;
}

export const bridgeHost = 1;
export const upstreamHost = 2;
export const firstNodeHost = 11;

/** `clusterIndex` 0 to 199 keeps clusters of one capsule apart. */
export function planAddresses(family: Family, clusterIndex: number): AddressPlan {
  const address = (host: number): string =>
    family === 'ipv4' ? `10.77.${clusterIndex}.${host}` : `fd77:${clusterIndex.toString(16)}::${host}`;
  return {
    family,
    address,
    withPrefix: (host) => `${address(host)}/${family === 'ipv4' ? 24 : 64}`,
    urlHost: (host) => (family === 'ipv4' ? address(host) : `[${address(host)}]`),
    loopback: family === 'ipv4' ? '127.0.0.1' : '[::1]',
  };
}
