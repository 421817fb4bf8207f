import type { Clock, Limits } from '../../core/index.ts';
import { createDeadline } from './deadline.ts';

/** What the pool needs to know of a connection. */
export interface PooledConnection {
  /** Address and port: connections with the same key are as good as each other. */
  readonly key: string;
  destroy(): void;
}

/** Connections that wait for the next request, for a time that is short against the other side's patience. */
export interface IdlePool<C extends PooledConnection> {
  /** The one used last, which is the least likely to be stale. */
  take(key: string): C | undefined;
  put(connection: C): void;
  /** Forgets a connection that has ended. */
  remove(connection: C): void;
  size(): number;
  /** Ends all of them and takes no more. Idempotent. */
  close(): void;
}

export type IdlePoolLimits = Pick<
  Limits,
  'idleConnectionTimeoutUs' | 'idleConnectionsPerPeerMax' | 'idleConnectionsMax'
>;

export function createIdlePool<C extends PooledConnection>(clock: Clock, limits: IdlePoolLimits): IdlePool<C> {
  /** Oldest first, with the time at which each has waited long enough. */
  const idle = new Map<C, number>();
  const byKey = new Map<string, C[]>();
  const state = { closed: false };

  const remove = (connection: C): void => {
    if (!idle.delete(connection)) return;
    const peers = byKey.get(connection.key) ?? [];
    const at = peers.indexOf(connection);
    if (at >= 0) peers.splice(at, 1);
    if (peers.length === 0) byKey.delete(connection.key);
    if (idle.size === 0) deadline.clear();
  };
  const evict = (connection: C | undefined): void => {
    if (connection === undefined) return;
    remove(connection);
    connection.destroy();
  };
  const deadline = createDeadline(clock, () => {
    for (const [connection, untilUs] of idle) {
      if (untilUs > clock.nowUs()) {
        deadline.set(untilUs - clock.nowUs());
        break;
      }
      evict(connection);
    }
  });

  return {
    take: (key) => {
      const connection = byKey.get(key)?.at(-1);
      if (connection !== undefined) remove(connection);
      return connection;
    },
    put: (connection) => {
      if (state.closed) {
        connection.destroy();
        return;
      }
      const peers = byKey.get(connection.key) ?? [];
      if (peers.length >= limits.idleConnectionsPerPeerMax) evict(peers[0]);
      if (idle.size >= limits.idleConnectionsMax) evict(idle.keys().next().value);
      if (idle.size === 0) deadline.set(limits.idleConnectionTimeoutUs);
      idle.set(connection, clock.nowUs() + limits.idleConnectionTimeoutUs);
      const others = byKey.get(connection.key);
      if (others === undefined) byKey.set(connection.key, [connection]);
      else others.push(connection);
    },
    remove,
    size: () => idle.size,
    close: () => {
      state.closed = true;
      deadline.close();
      for (const connection of idle.keys()) evict(connection);
    },
  };
}
