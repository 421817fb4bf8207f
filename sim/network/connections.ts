import type { Life } from '../kernel/life.ts';
import type { Party } from './party.ts';

/** A connection that stands and carries nothing now. */
export interface IdleConnection {
  readonly sinceUs: number;
  /** The run of the server that took it: another one does not know it. */
  readonly serverLife: Life;
  /** What may be under way unacknowledged when it is used again at once. */
  readonly windowBytes: number;
  /** What was under way at its last rate. */
  readonly unacknowledgedBytes: number;
}

/** How many a program keeps, and how long. */
export interface PoolLimits {
  readonly perPeerMax: number;
  readonly idleUs: number;
}

/** Ten segments of 1,448 bytes (RFC 6928). */
export const initialWindowBytes = 14_480;

/** A connection that was idle for longer than a retransmission time-out begins anew, halving its window for each (RFC 2861); Linux' least one. */
const timeoutUs = 200_000;

/** Connections that stand, by their two ends. The last one used is used first. */
export class Connections {
  readonly #idle = new Map<Party, Map<Party, IdleConnection[]>>();

  take(from: Party, to: Party, nowUs: number, { idleUs }: PoolLimits): IdleConnection | undefined {
    const idle = this.#idle.get(from)?.get(to);
    const connection = idle?.pop();
    if (idle === undefined || connection === undefined) return undefined;
    if (nowUs - connection.sinceUs < idleUs) return connection;
    // All others are older.
    idle.length = 0;
    return undefined;
  }

  keep(from: Party, to: Party, connection: IdleConnection, { perPeerMax }: PoolLimits): void {
    const peers = this.#idle.get(from) ?? new Map<Party, IdleConnection[]>();
    this.#idle.set(from, peers);
    const idle = peers.get(to) ?? [];
    peers.set(to, idle);
    idle.push(connection);
    if (idle.length > perPeerMax) idle.shift();
  }

  /** The program has gone, and its kernel has said so to all others: those that packets do not reach find out when they use the connection. */
  forget(party: Party): void {
    this.#idle.delete(party);
    if (!party.host.isPlugged) return;
    for (const [from, peers] of this.#idle) if (from.host.isPlugged) peers.delete(party);
  }
}

/** The window of a connection that has been idle until now. */
export function windowAfter(connection: IdleConnection, nowUs: number): number {
  const { sinceUs, unacknowledgedBytes, windowBytes } = connection;
  const timeouts = Math.floor((nowUs - sinceUs) / timeoutUs);
  if (timeouts === 0) return windowBytes;
  const grownBytes = Math.min(windowBytes, unacknowledgedBytes);
  return Math.max(initialWindowBytes, timeouts > 31 ? 0 : grownBytes >> timeouts);
}
