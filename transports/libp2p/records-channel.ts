import type { Connection } from '@libp2p/interface';
import { onAbort, abortReason, PeiliError, throwIfAborted } from '../../core/index.ts';
import type { Clock } from '../../core/index.ts';
import { unreachable } from './dialer.ts';
import { createFramedStream } from './framed-stream.ts';
import type { HalfMessages } from './half-messages.ts';
import type { PeerIds } from './peer-ids.ts';
import { decodeRecordsMessage, encodeRecordsMessage, recordsProtocol } from './records-codec.ts';
import type { Hello, RecordsMessage } from './records-codec.ts';
import { invalidMessage } from './wire.ts';

/** Our requests to one member, over one stream that stays open: many under way at once, answered in any order. */
export interface RecordsChannel {
  /** What the member said of itself when the stream was opened. */
  readonly hello: Hello;
  isOpen(): boolean;
  /** Rejects with `MEMBER_UNREACHABLE`, or with what the member refused it for. */
  request(message: RecordsRequest, signal: AbortSignal): Promise<RecordsMessage>;
  close(): void;
}

export type RecordsRequest = WithoutId<Extract<RecordsMessage, { type: 'batch' | 'lookup' | 'members-wanted' }>>;
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

export interface RecordsChannelDeps {
  readonly clock: Clock;
  readonly ids: PeerIds;
}

export interface RecordsChannelOptions {
  readonly hello: Hello;
  readonly messageMaxBytes: number;
  readonly halfMessages: HalfMessages;
  /** A member that has said nothing for so long, while it was asked something, is out of reach. */
  readonly silenceMaxUs: number;
}

interface Waiting {
  readonly resolve: (message: RecordsMessage) => void;
  readonly reject: (reason: Error) => void;
}

export async function openRecordsChannel(
  { clock, ids }: RecordsChannelDeps,
  connection: Connection,
  options: RecordsChannelOptions,
  signal: AbortSignal,
): Promise<RecordsChannel> {
  const stream = await connection.newStream(recordsProtocol, { signal });
  const waiting = new Map<number, Waiting>();
  const greeting = Promise.withResolvers<Hello>();
  const state: { isOpen: boolean; nextId: number; silentSinceUs: number | undefined } = {
    isOpen: true,
    nextId: 1,
    silentSinceUs: undefined,
  };

  const onMessage = (bytes: Uint8Array): void => {
    const message = decodeRecordsMessage(bytes, ids);
    state.silentSinceUs = undefined;
    if (message === undefined) return;
    if (message.type === 'hello') {
      greeting.resolve(message.hello);
      return;
    }
    const waiter = waiting.get(message.id);
    waiting.delete(message.id);
    if (waiting.size > 0) state.silentSinceUs = clock.nowUs();
    if (message.type === 'refused') waiter?.reject(refusal(message.code));
    else waiter?.resolve(message);
  };

  const onEnd = (reason: Error | undefined): void => {
    state.isOpen = false;
    const failure = unreachable('the stream ended', reason);
    greeting.reject(failure);
    for (const waiter of waiting.values()) waiter.reject(failure);
    waiting.clear();
  };

  const framed = createFramedStream(stream, {
    messageMaxBytes: options.messageMaxBytes,
    halfMessages: options.halfMessages,
    onMessage,
    onEnd,
    pauseWhenFull: false,
  });
  const releaseGreeting = onAbort(signal, () => {
    greeting.reject(abortReason(signal));
  });
  greeting.promise.catch((reason: unknown) => {
    framed.reset(reason instanceof Error ? reason : unreachable('no greeting'));
  });

  const request = async (message: RecordsRequest, requestSignal: AbortSignal): Promise<RecordsMessage> => {
    throwIfAborted(requestSignal);
    if (state.silentSinceUs !== undefined && clock.nowUs() - state.silentSinceUs > options.silenceMaxUs) {
      connection.abort(unreachable('the member says nothing any more'));
    }
    if (!state.isOpen) throw unreachable('the stream has ended');
    const id = state.nextId;
    state.nextId += 1;
    const bytes = encodeRecordsMessage({ ...message, id }, ids);
    if (bytes.byteLength > options.messageMaxBytes)
      throw invalidMessage(`${bytes.byteLength} bytes are too many to send`);
    const answer = Promise.withResolvers<RecordsMessage>();
    answer.promise.catch(() => undefined); // A stream that ends while it is written to rejects it, and then throws.
    const release = onAbort(requestSignal, () => {
      answer.reject(abortReason(requestSignal));
    });
    waiting.set(id, answer);
    try {
      state.silentSinceUs ??= clock.nowUs();
      framed.send(bytes);
      return await answer.promise;
    } catch (thrown) {
      throw thrown instanceof PeiliError ? thrown : unreachable('the stream has ended', thrown);
    } finally {
      waiting.delete(id);
      release();
    }
  };

  try {
    framed.send(encodeRecordsMessage({ type: 'hello', hello: options.hello }, ids));
    const hello = await greeting.promise;
    return { hello, isOpen: () => state.isOpen, request, close: framed.close };
  } finally {
    releaseGreeting();
  }
}

function refusal(code: string): PeiliError {
  return code === 'QUOTA_EXCEEDED'
    ? new PeiliError('QUOTA_EXCEEDED', 'the member keeps no more records of this node')
    : unreachable(`the member refused: ${code}`);
}
