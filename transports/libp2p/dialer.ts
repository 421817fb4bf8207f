import type { Connection, Libp2p } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { openScope, PeiliError, reasonOf, settleOrAbort, throwIfAborted, withDeadline } from '../../core/index.ts';
import type { Clock } from '../../core/index.ts';
import { multiaddrOf } from './endpoint.ts';
import type { Endpoint, RouterTransport } from './endpoint.ts';
import type { KnownMember } from './known-member.ts';
import type { MemberTable } from './member-table.ts';

/** Connections to members, made on need and shared. */
export interface Dialer {
  /** The open connection to a member, or a new one. Rejects with `MEMBER_UNREACHABLE`; aborting leaves the dial to others. */
  connect(id: string, signal: AbortSignal): Promise<Connection>;
  isConnected(id: string): boolean;
  /** Connects to whoever answers at an address. Undefined when that is nobody, or this node itself. */
  dialEndpoint(endpoint: Endpoint, signal: AbortSignal): Promise<Connection | undefined>;
  dispose(): void;
}

export interface DialerDeps {
  readonly node: Pick<Libp2p, 'dial' | 'getConnections' | 'peerId'>;
  readonly table: MemberTable;
  readonly clock: Clock;
  /** A member's connection is used. */
  readonly touch: (id: string) => void;
}

export interface DialerOptions {
  readonly transport: RouterTransport;
  readonly dialTimeoutUs: number;
}

export function createDialer({ node, table, clock, touch }: DialerDeps, options: DialerOptions): Dialer {
  const pending = new Map<string, Promise<Connection>>();
  const life = openScope(new AbortController().signal);

  const withTimeout = (call: (signal: AbortSignal) => Promise<Connection>): Promise<Connection> =>
    withDeadline(clock, options.dialTimeoutUs, life.signal, () => unreachable('no answer to a dial'), call);

  const openConnection = (id: string): Connection | undefined =>
    node.getConnections(peerIdFromString(id)).find(({ status }) => status === 'open');

  const dialMember = async ({ member, endpoints }: KnownMember): Promise<Connection> => {
    const addresses = endpoints.map((endpoint) => multiaddrOf(endpoint, options.transport, member.id));
    try {
      const connection = await withTimeout((signal) => node.dial(addresses, { signal }));
      touch(member.id);
      return connection;
    } catch (thrown) {
      if (!life.signal.aborted) table.fail(member.id);
      // Somebody else may answer there now: whoever it is gets met, and then the old member is gone.
      if (isHandshakeError(thrown)) for (const endpoint of endpoints) void dialEndpoint(endpoint, life.signal);
      throw unreachable(`${member.id} could not be reached: ${reasonOf(thrown)}`, thrown);
    }
  };

  const dialEndpoint = async (endpoint: Endpoint, signal: AbortSignal): Promise<Connection | undefined> => {
    try {
      throwIfAborted(signal);
      const address = multiaddrOf(endpoint, options.transport);
      const connection = await settleOrAbort(
        withTimeout((dialSignal) => node.dial(address, { signal: dialSignal })),
        signal,
      );
      if (!connection.remotePeer.equals(node.peerId)) return connection;
      await connection.close();
    } catch {
      // Nobody there, or not a libp2p node: the next round looks again.
    }
    return undefined;
  };

  return {
    connect: async (id, signal) => {
      throwIfAborted(signal);
      const open = openConnection(id);
      if (open !== undefined) {
        touch(id);
        return open;
      }
      const entry = table.get(id);
      if (entry === undefined) throw unreachable(`${id} is not a known member`);
      if (entry.retryAtUs > clock.nowUs()) throw unreachable(`${id} could not be reached lately`);
      const dial = pending.get(id) ?? dialMember(entry);
      if (!pending.has(id)) {
        const forget = (): void => void pending.delete(id);
        pending.set(id, dial);
        dial.then(forget, forget);
      }
      return settleOrAbort(dial, signal);
    },
    isConnected: (id) => openConnection(id) !== undefined,
    dialEndpoint,
    dispose: () => {
      life.abort();
      life.close();
    },
  };
}

export function unreachable(message: string, cause?: unknown): PeiliError {
  return new PeiliError('MEMBER_UNREACHABLE', message, {}, cause);
}

/** TCP was fine, noise was not: as when another key answers than the one that was expected. */
function isHandshakeError(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if (thrown.name === 'UnexpectedPeerError' || thrown.name === 'EncryptionFailedError') return true;
  return thrown instanceof AggregateError && thrown.errors.some(isHandshakeError);
}
