import { isIPv6 } from 'node:net';
import { throwIfAborted } from '../../core/index.ts';
import type { Clock, Limits, Member, PeerClient } from '../../core/index.ts';
import type { BufferPool } from '../system/buffer-pool.ts';
import { dialMember, openSocket } from './dial.ts';
import { undiciExchange } from './undici-exchange.ts';

export interface PeerClientDeps {
  readonly clock: Clock;
  readonly buffers: BufferPool;
}

export interface PeerClientOptions {
  readonly limits: Limits;
  /** The `authorization` field of every request, when the cluster's mirrors ask for one. */
  readonly authorization?: string | undefined;
}

export interface HttpPeerClient extends PeerClient {
  /** Ends idle connections and their timer. */
  close(): void;
}

/** Asks other members' registries over HTTP/1.1. */
export function createPeerClient(
  { clock }: PeerClientDeps,
  { limits, authorization }: PeerClientOptions,
): HttpPeerClient {
  return {
    fetch: async (member, request, signal) => {
      throwIfAborted(signal);
      const headers = {
        'accept-encoding': 'identity',
        ...request.headers,
        'x-spegel-mirrored': 'true',
        ...(authorization === undefined ? {} : { authorization }),
      };
      const dial = (): ReturnType<typeof dialMember> => dialMember({ clock, limits, open: openSocket }, member, signal);
      return undiciExchange({ dial, limits }, `http://${hostOf(member)}`, { ...request, headers }, signal);
    },
    close: () => undefined,
  };
}

function hostOf(member: Member): string {
  const address = member.addresses[0] ?? 'localhost';
  return `${isIPv6(address) ? `[${address}]` : address}:${String(member.registryPort)}`;
}
