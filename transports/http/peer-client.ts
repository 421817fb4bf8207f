import { connect, isIPv6 } from 'node:net';
import { abortReason, throwIfAborted } from '../../core/index.ts';
import type { Clock, Limits, Member, PeerClient, PeerRequest, PeerResponse } from '../../core/index.ts';
import type { BufferPool } from '../system/buffer-pool.ts';
import { dialMember } from './dial.ts';
import { createIdlePool } from './idle-pool.ts';
import { connectionKey, openPeerConnection } from './peer-connection.ts';
import type { Exchanged, PeerConnection } from './peer-connection.ts';
import { requestHead } from './request-head.ts';
import { undiciExchange } from './undici-exchange.ts';

export interface PeerClientDeps {
  readonly clock: Clock;
  /** Where bodies are read to, one buffer each. */
  readonly buffers: BufferPool;
}

export interface PeerClientOptions {
  readonly limits: Limits;
  /** The `authorization` field of every request, when the cluster's mirrors ask for one. */
  readonly authorization?: string | undefined;
}

export interface HttpPeerClient extends PeerClient {
  /** Idle connections now. */
  idleConnections(): number;
  /** Ends idle connections and their timer; later ones are not kept. Idempotent. */
  close(): void;
}

/**
 * Asks other members' registries over HTTP/1.1: reads plain answers itself, into buffers of the pool, and leaves other ones to undici.
 * A body of 16 KiB or more may arrive in chunks of up to `limits.bufferMaxBytes`.
 */
export function createPeerClient({ clock, buffers }: PeerClientDeps, options: PeerClientOptions): HttpPeerClient {
  const { limits, authorization } = options;
  const pool = createIdlePool<PeerConnection>(clock, limits);
  const connectionDeps = { buffers, limits, onIdle: pool.put, onClosed: pool.remove };
  const open = (address: string, port: number): PeerConnection => openPeerConnection(connectionDeps, address, port);
  const ownHeaders = { 'x-spegel-mirrored': 'true', ...(authorization === undefined ? {} : { authorization }) };

  const takeIdle = (member: Member): PeerConnection | undefined => {
    for (const address of member.addresses) {
      const connection = pool.take(connectionKey(address, member.registryPort));
      if (connection !== undefined) return connection;
    }
    return undefined;
  };

  const exchange = async (member: Member, request: PeerRequest, signal: AbortSignal): Promise<Exchanged> => {
    const head = requestHead(request, authorityOf(member));
    const used = takeIdle(member);
    if (used !== undefined) {
      const exchanged = await used.exchange(request.method, head, signal);
      if (exchanged !== 'stale') return exchanged;
    }
    const fresh = await dialMember({ clock, limits, open }, member, signal);
    if (signal.aborted) {
      fresh.destroy();
      throw abortReason(signal);
    }
    return fresh.exchange(request.method, head, signal);
  };

  return {
    fetch: async (member, { method, target, headers }, signal): Promise<PeerResponse> => {
      throwIfAborted(signal);
      const request = { method, target, headers: { 'accept-encoding': 'identity', ...headers, ...ownHeaders } };
      const exchanged = await exchange(member, request, signal);
      if (exchanged !== 'stale' && exchanged !== 'not-plain') return exchanged;
      const openPlain = (host: string, port: number): { socket: ReturnType<typeof connect> } => ({
        socket: connect({ host, port, noDelay: true }),
      });
      const dial = async (): Promise<ReturnType<typeof connect>> =>
        (await dialMember({ clock, limits, open: openPlain }, member, signal)).socket;
      return undiciExchange({ dial, limits }, `http://${authorityOf(member)}`, request, signal);
    },
    idleConnections: pool.size,
    close: pool.close,
  };
}

/** A Host field for the member, whichever of its addresses takes the connection: one listener answers at all of them. */
function authorityOf({ addresses, registryPort }: Member): string {
  const address = addresses[0] ?? '';
  return `${isIPv6(address) ? `[${address.replace(/%.*$/, '')}]` : address}:${String(registryPort)}`;
}
