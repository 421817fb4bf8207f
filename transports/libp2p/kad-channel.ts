import type { Connection } from '@libp2p/interface';
import { abortReason, onAbort, PeiliError, throwIfAborted } from '../../core/index.ts';
import type { Clock, RoutingKey } from '../../core/index.ts';
import { unreachable } from './dialer.ts';
import { createFramedStream } from './framed-stream.ts';
import type { HalfMessages } from './half-messages.ts';
import { decodeKadMessage, encodeKadMessage, kadProtocol, kadTypes, multihashOf } from './kad-codec.ts';
import type { KadMessage, KadPeer } from './kad-codec.ts';

/** Kademlia messages to one Spegel node, many to a stream. The other side ends it after a minute without any. */
export interface KadChannel {
  isOpen(): boolean;
  /** `ADD_PROVIDER` for each key; it has no answer, so this resolves when the bytes are on their way. */
  provide(keys: readonly RoutingKey[], self: KadPeer, signal: AbortSignal): Promise<void>;
  /** `GET_PROVIDERS` or `FIND_NODE`. Answers come in the order of the requests. */
  ask(type: number, key: Uint8Array, signal: AbortSignal): Promise<KadMessage>;
  close(): void;
}

export interface KadChannelOptions {
  readonly messageMaxBytes: number;
  readonly halfMessages: HalfMessages;
  readonly silenceMaxUs: number;
}

export async function openKadChannel(
  clock: Clock,
  connection: Connection,
  options: KadChannelOptions,
  signal: AbortSignal,
): Promise<KadChannel> {
  const stream = await connection.newStream(kadProtocol, { signal });
  if (signal.aborted) {
    stream.abort(abortReason(signal));
    throw abortReason(signal);
  }
  /** In the order of the requests; given-up ones stay in line, or answers would go to the wrong one. */
  const line: PromiseWithResolvers<KadMessage>[] = [];
  const state: { isOpen: boolean; silentSinceUs: number | undefined } = { isOpen: true, silentSinceUs: undefined };

  const framed = createFramedStream(stream, {
    messageMaxBytes: options.messageMaxBytes,
    halfMessages: options.halfMessages,
    pauseWhenFull: false,
    onMessage: (bytes) => {
      const message = decodeKadMessage(bytes);
      line.shift()?.resolve(message);
      state.silentSinceUs = line.length > 0 ? clock.nowUs() : undefined;
    },
    onEnd: (reason) => {
      state.isOpen = false;
      for (const waiter of line.splice(0)) waiter.reject(unreachable('the stream ended', reason));
    },
  });

  const send = (message: KadMessage): boolean => {
    if (!state.isOpen) throw unreachable('the stream has ended');
    try {
      return framed.send(encodeKadMessage(message));
    } catch (thrown) {
      throw unreachable('the stream has ended', thrown);
    }
  };

  return {
    isOpen: () => state.isOpen,
    close: framed.close,
    provide: async (keys, self, provideSignal) => {
      for (const key of keys) {
        throwIfAborted(provideSignal);
        const hasRoom = send({ type: kadTypes.addProvider, key: multihashOf(key), closer: [], providers: [self] });
        if (!hasRoom) await drained(framed.drained(provideSignal), provideSignal);
      }
    },
    ask: async (type, key, askSignal) => {
      throwIfAborted(askSignal);
      if (state.silentSinceUs !== undefined && clock.nowUs() - state.silentSinceUs > options.silenceMaxUs) {
        connection.abort(unreachable('the member says nothing any more'));
      }
      send({ type, key, closer: [], providers: [] });
      const answer = Promise.withResolvers<KadMessage>();
      answer.promise.catch(() => undefined);
      line.push(answer);
      state.silentSinceUs ??= clock.nowUs();
      const release = onAbort(askSignal, () => {
        answer.reject(abortReason(askSignal));
      });
      try {
        return await answer.promise;
      } finally {
        release();
      }
    },
  };
}

async function drained(drain: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await drain;
  } catch (thrown) {
    throwIfAborted(signal);
    throw thrown instanceof PeiliError ? thrown : unreachable('the stream has ended', thrown);
  }
}
