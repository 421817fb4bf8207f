import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import type { Multiaddr } from '@multiformats/multiaddr';
import { peerIdFromString } from '@libp2p/peer-id';
import { PeiliError, settleOrAbort } from '../../core/index.ts';
import { endpointOf } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';

/** Where a node that knows nobody begins. */
export type BootstrapOptions =
  | { readonly kind: 'none' }
  /** Router multiaddrs, `/ip4/10.0.0.7/tcp/5001[/p2p/<id>]`. */
  | { readonly kind: 'static'; readonly peers: readonly string[] }
  /** The A and AAAA records of a headless service; the port is this node's own router port. */
  | { readonly kind: 'dns'; readonly host: string }
  /** GET: one `{"ID","Addrs"}` or an array of them. Without a path, `/id` is asked for, as Spegel does. */
  | { readonly kind: 'http'; readonly url: string };

export interface BootstrapEntry {
  readonly id: string | undefined;
  readonly endpoints: readonly Endpoint[];
}

/** What bootstrap asks of the outside; tests give their own. */
export interface BootstrapSources {
  /** All addresses of a name. */
  readonly resolveHost: (host: string, signal: AbortSignal) => Promise<readonly string[]>;
  readonly fetchText: (url: string, signal: AbortSignal) => Promise<string>;
}

export interface Bootstrap {
  readonly kind: BootstrapOptions['kind'];
  /** The entries as of now. Rejects when the source cannot be asked. */
  resolve(signal: AbortSignal): Promise<readonly BootstrapEntry[]>;
}

const documentMaxBytes = 1024 * 1024;

export const systemSources: BootstrapSources = {
  resolveHost: async (host, signal) => {
    const found = await settleOrAbort(lookup(host, { all: true, order: 'ipv4first' }), signal);
    return found.map(({ address }) => address);
  },
  fetchText: async (url, signal) => {
    const response = await fetch(url, { signal, redirect: 'error' });
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    const body: AsyncIterable<Uint8Array> = response.body;
    for await (const part of body) {
      parts.push(part);
      sizeBytes += part.byteLength;
      if (sizeBytes > documentMaxBytes) throw new Error(`more than ${documentMaxBytes} bytes`);
    }
    return Buffer.concat(parts).toString('utf8');
  },
};

/** Throws `OPTION_INVALID` or `ADDRESS_INVALID` for what can never work. */
export function createBootstrap(
  sources: BootstrapSources,
  options: BootstrapOptions,
  ownPort: () => number,
): Bootstrap {
  switch (options.kind) {
    case 'none':
      return { kind: 'none', resolve: () => Promise.resolve([]) };
    case 'static': {
      if (options.peers.length === 0) throw invalidOption('static bootstrap names no peer');
      const entries = options.peers.map(parseStaticPeer);
      return { kind: 'static', resolve: () => Promise.resolve(entries) };
    }
    case 'dns': {
      const { host } = options;
      if (!/^[A-Za-z0-9_.:-]+$/.test(host)) throw invalidOption(`not a host name: ${host}`);
      return {
        kind: 'dns',
        resolve: async (signal) => {
          const addresses = await sources.resolveHost(host, signal);
          return addresses
            .filter((address) => isIP(address) !== 0)
            .map((address) => ({ id: undefined, endpoints: [{ host: address, port: ownPort() }] }));
        },
      };
    }
    case 'http': {
      const url = bootstrapUrl(options.url);
      return {
        kind: 'http',
        resolve: async (signal) => parseBootstrapDocument(await sources.fetchText(url, signal), ownPort()),
      };
    }
  }
}

/** What a bootstrap server answers at `/id`: Spegel up to v0.7.4 reads one object. */
export function formatBootstrapDocument(id: string, addresses: readonly string[]): string {
  return JSON.stringify({ ID: id, Addrs: addresses });
}

/** One object or an array of them; ids may be missing, addresses may lack a port. Throws `OPTION_INVALID`. */
export function parseBootstrapDocument(text: string, ownPort: number): BootstrapEntry[] {
  const parsed = ((): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      throw invalidOption('the bootstrap document is not JSON');
    }
  })();
  const items: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  return items.map((item) => {
    if (typeof item !== 'object' || item === null) throw invalidOption('a bootstrap entry is not an object');
    const id = 'ID' in item && typeof item.ID === 'string' && item.ID !== '' ? item.ID : undefined;
    const addresses: unknown = 'Addrs' in item ? item.Addrs : undefined;
    if (!Array.isArray(addresses)) throw invalidOption('a bootstrap entry has no Addrs');
    const endpoints = addresses.flatMap((address: unknown) => {
      const endpoint = typeof address === 'string' ? endpointWithPort(parseMultiaddr(address), ownPort) : undefined;
      return endpoint ?? [];
    });
    return { id: id === undefined ? undefined : checkedId(id), endpoints };
  });
}

function parseStaticPeer(text: string): BootstrapEntry {
  const address = parseMultiaddr(text);
  const endpoint = endpointOf(address);
  if (endpoint === undefined) throw invalidAddress(text);
  const id = address.getComponents().find(({ name }) => name === 'p2p')?.value;
  return { id: id === undefined ? undefined : checkedId(id), endpoints: [endpoint] };
}

function endpointWithPort(address: Multiaddr, ownPort: number): Endpoint | undefined {
  const [first, second] = address.getComponents();
  const isBare = second === undefined && (first?.name === 'ip4' || first?.name === 'ip6');
  return endpointOf(isBare ? address.encapsulate(`/tcp/${ownPort}`) : address);
}

function parseMultiaddr(text: string): Multiaddr {
  try {
    return multiaddr(text);
  } catch {
    throw invalidAddress(text);
  }
}

function checkedId(id: string): string {
  try {
    return peerIdFromString(id).toString();
  } catch {
    throw invalidOption(`not a peer id: ${id}`);
  }
}

function bootstrapUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw invalidOption(`not an http or https URL: ${text}`);
  if (url.pathname === '/') url.pathname = '/id';
  return url.href;
}

function invalidAddress(text: string): PeiliError {
  return new PeiliError('ADDRESS_INVALID', `not a router address (/ip4/<ip>/tcp/<port>[/p2p/<id>]): ${text}`, {
    address: text,
  });
}

function invalidOption(what: string): PeiliError {
  return new PeiliError('OPTION_INVALID', what, { option: 'bootstrap' });
}
