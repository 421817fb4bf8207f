import type { Connection } from '@libp2p/interface';
import { PeiliError, settleOrAbort, throwIfAborted, withDeadline } from '../../core/index.ts';
import type { Clock } from '../../core/index.ts';
import { unreachable } from './dialer.ts';
import type { Dialer } from './dialer.ts';

export interface Channel {
  isOpen(): boolean;
}

/** One channel for each member, opened on need. An opening that its first user gave up goes on for the next. */
export interface ChannelPool<C extends Channel> {
  /** Opens a channel on this connection. */
  open(connection: Connection): Promise<C>;
  /** Runs a call on the member's channel; once more on a new one if that was found dead. Rejects with `MEMBER_UNREACHABLE`. */
  use<T>(id: string, signal: AbortSignal, call: (channel: C) => Promise<T>): Promise<T>;
}

export interface ChannelPoolDeps<C extends Channel> {
  readonly clock: Clock;
  readonly dialer: Dialer;
  /** Aborts when the node ends. */
  readonly life: AbortSignal;
  readonly openChannel: (connection: Connection, signal: AbortSignal) => Promise<C>;
}

export function createChannelPool<C extends Channel>(deps: ChannelPoolDeps<C>, openTimeoutUs: number): ChannelPool<C> {
  const { clock, dialer, life } = deps;
  const open = new Map<string, C>();
  const opening = new Map<string, Promise<C>>();

  const openOn = async (id: string, connect: () => Promise<Connection>): Promise<C> => {
    try {
      const connection = await connect();
      const noGreeting = (): PeiliError => unreachable('the stream did not open in time');
      const channel = await withDeadline(clock, openTimeoutUs, life, noGreeting, (signal) =>
        deps.openChannel(connection, signal),
      );
      dropEnded(open); // A channel that ended holds its connection's buffers as long as it is held.
      open.set(id, channel);
      return channel;
    } finally {
      opening.delete(id);
    }
  };

  const openOnce = (id: string, connect: () => Promise<Connection>): Promise<C> => {
    const underway = opening.get(id);
    if (underway !== undefined) return underway;
    const started = openOn(id, connect);
    started.catch(() => undefined);
    opening.set(id, started);
    return started;
  };

  const channelTo = async (id: string, signal: AbortSignal): Promise<C> => {
    const channel = open.get(id);
    if (channel?.isOpen() === true) return channel;
    open.delete(id);
    return settleOrAbort(
      openOnce(id, () => dialer.connect(id, life)),
      signal,
    );
  };

  const callTwice = async <T>(id: string, signal: AbortSignal, call: (channel: C) => Promise<T>): Promise<T> => {
    const isOld = open.get(id)?.isOpen() === true;
    const channel = await channelTo(id, signal);
    try {
      return await call(channel);
    } catch (thrown) {
      throwIfAborted(signal);
      if (!isOld || channel.isOpen()) throw thrown;
      return call(await channelTo(id, signal));
    }
  };

  return {
    open: (connection) => openOnce(connection.remotePeer.toString(), () => Promise.resolve(connection)),
    use: async (id, signal, call) => {
      throwIfAborted(signal);
      try {
        return await callTwice(id, signal, call);
      } catch (thrown) {
        throwIfAborted(signal);
        if (thrown instanceof PeiliError && thrown.code !== 'ABORTED') throw thrown;
        throw unreachable(`${id} could not be asked`, thrown);
      }
    },
  };
}

function dropEnded(open: Map<string, Channel>): void {
  for (const [id, channel] of open) {
    if (!channel.isOpen()) open.delete(id);
  }
}
