import { identify } from '@libp2p/identify';
import type { Ed25519PrivateKey, Libp2p } from '@libp2p/interface';
import { memory } from '@libp2p/memory';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import type { Multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { reasonOf } from '../../core/index.ts';
import { listenRefusal } from '../system/listen-refusal.ts';
import { announcedEndpoint, endpointOf, isSameEndpoint, multiaddrOf } from './endpoint.ts';
import type { Endpoint, RouterTransport } from './endpoint.ts';

export interface HostOptions {
  readonly listen: Endpoint;
  readonly transport: RouterTransport;
  readonly privateKey: Ed25519PrivateKey;
  /** A wall above the number that is held: beyond it connections are refused. */
  readonly connectionsMax: number;
}

const pendingConnectionsMax = 256;

/** A started libp2p node that announces one address and keeps quiet by itself. Rejects with `ADDRESS_IN_USE` or `ADDRESS_INVALID`. */
export async function startHost({ listen, transport, privateKey, connectionsMax }: HostOptions): Promise<Libp2p> {
  const node = await createLibp2p({
    start: false,
    privateKey,
    addresses: {
      listen: listenEndpoints(listen, transport).map((endpoint) => multiaddrOf(endpoint, transport).toString()),
      announceFilter: announceOne,
    },
    transports: [transport === 'memory' ? memory() : tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // Its pings cost 8 % of a core with 300 idle connections; a dead connection shows when it is used.
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: connectionsMax,
      // All members start at once, and behind one address in tests.
      maxIncomingPendingConnections: pendingConnectionsMax,
      inboundConnectionThreshold: Infinity,
      reconnectRetries: 0,
    },
    services: { identify: identify(), ping: ping() },
  });
  try {
    await node.start();
  } catch (thrown) {
    await node.stop();
    throw listenRefusal({ listener: 'router', ...listen }, reasonOf(thrown), thrown); // libp2p has the system's code in its text alone.
  }
  return node;
}

function listenEndpoints({ host, port }: Endpoint, transport: RouterTransport): Endpoint[] {
  if (host !== '') return [{ host, port }];
  const any = { host: '0.0.0.0', port };
  return transport === 'memory' ? [any] : [any, { host: '::', port }];
}

function announceOne(addresses: readonly Multiaddr[]): Multiaddr[] {
  const chosen = announcedEndpoint(addresses.flatMap((address) => endpointOf(address) ?? []));
  const address = addresses.find((candidate) => {
    const endpoint = endpointOf(candidate);
    return chosen !== undefined && endpoint !== undefined && isSameEndpoint(endpoint, chosen);
  });
  return address === undefined ? [] : [address];
}
