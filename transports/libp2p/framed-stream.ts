import type { Stream } from '@libp2p/interface';
import type { HalfMessages } from './half-messages.ts';
import { invalidMessage, readVarint, writeVarint } from './wire.ts';

/** Messages over a stream, each with its length as a varint before it. */
export interface FramedStream {
  /** Throws when the stream is closed. False when the other side is slow: wait for `drained`. */
  send(message: Uint8Array): boolean;
  drained(signal: AbortSignal): Promise<void>;
  /** Ends the stream after what was sent. */
  close(): void;
  /** Ends the stream at once, both ways. */
  reset(reason: Error): void;
}

export interface FramedStreamOptions {
  /** A message above it ends the stream with `RECORDS_INVALID`. */
  readonly messageMaxBytes: number;
  /** One for all streams of a node: beyond its bound the stream ends with `OVERLOADED`. */
  readonly halfMessages: HalfMessages;
  /** Once per message; bytes are the callee's. What it throws ends the stream. */
  readonly onMessage: (message: Uint8Array) => void;
  /** Once, when nothing comes any more; the reason, if it was not an orderly end. */
  readonly onEnd: (reason: Error | undefined) => void;
  /** Stops reading while the other side does not read what we answer, so that its answers do not pile up here. */
  readonly pauseWhenFull: boolean;
}

const headBytesMax = 5;

export function createFramedStream(stream: Stream, options: FramedStreamOptions): FramedStream {
  const splitter = createMessageSplitter(options.messageMaxBytes, options.halfMessages);
  let ended = false;
  const end = (reason: Error | undefined): void => {
    if (ended) return;
    ended = true;
    splitter.drop();
    options.onEnd(reason);
  };
  const reset = (reason: Error): void => {
    end(reason);
    stream.abort(reason);
  };
  stream.addEventListener('message', ({ data }) => {
    if (ended) return;
    try {
      splitter.push(data.subarray(), (message) => {
        if (!ended) options.onMessage(message);
      });
      if (ended) splitter.drop();
    } catch (thrown) {
      reset(thrown instanceof Error ? thrown : invalidMessage('the reader failed'));
    }
  });
  stream.addEventListener('remoteCloseWrite', () => {
    end(undefined);
    void stream.close().catch(() => undefined);
  });
  stream.addEventListener('close', (event) => {
    end(event.error);
  });
  const resume = (): void => {
    if (stream.readStatus === 'paused') stream.resume();
  };
  if (options.pauseWhenFull) stream.addEventListener('drain', resume);
  return {
    send: (message) => {
      const frame = new Uint8Array(message.byteLength + headBytesMax);
      const start = writeVarint(frame, 0, message.byteLength);
      frame.set(message, start);
      const hasRoom = stream.send(frame.subarray(0, start + message.byteLength));
      if (!hasRoom && options.pauseWhenFull && stream.readStatus === 'readable') stream.pause();
      return hasRoom;
    },
    drained: (signal) => stream.onDrain({ signal }),
    close: () => {
      end(undefined);
      void stream.close().catch(() => undefined);
    },
    reset,
  };
}

/** Cuts what arrives into messages. */
export interface MessageSplitter {
  /** Bytes of a message are the callee's. Throws `RECORDS_INVALID` or `OVERLOADED`; of no use after that. */
  push(bytes: Uint8Array, onMessage: (message: Uint8Array) => void): void;
  /** Forgets the half message. */
  drop(): void;
}

/** A half message is copied together: what arrived would hold the whole chunk that it is a part of, and a thousand pieces more than their bytes. */
export function createMessageSplitter(messageMaxBytes: number, halfMessages: HalfMessages): MessageSplitter {
  let half = new Uint8Array();
  let halfBytes = 0;
  /** How many bytes are needed before looking again: a message in a thousand pieces is put together once. */
  let neededBytes = 1;
  const keep = (bytes: Uint8Array): void => {
    const total = halfBytes + bytes.byteLength;
    if (total > half.byteLength) {
      const room = Math.max(total, Math.min(2 * half.byteLength, neededBytes));
      halfMessages.take(room - half.byteLength);
      const larger = new Uint8Array(room);
      larger.set(half.subarray(0, halfBytes));
      half = larger;
    }
    half.set(bytes, halfBytes);
    halfBytes = total;
  };
  const drop = (): void => {
    halfMessages.release(half.byteLength);
    half = new Uint8Array();
    halfBytes = 0;
  };
  const push: MessageSplitter['push'] = (bytes, onMessage) => {
    if (halfBytes > 0 || bytes.byteLength < neededBytes) keep(bytes);
    const buffer = halfBytes > 0 ? half.subarray(0, halfBytes) : bytes;
    if (buffer.byteLength < neededBytes) return;
    let at = 0;
    let frame = frameAt(buffer, at, messageMaxBytes);
    while (frame !== undefined && frame.end <= buffer.byteLength) {
      onMessage(buffer.subarray(frame.start, frame.end));
      at = frame.end;
      frame = frameAt(buffer, at, messageMaxBytes);
    }
    const rest = buffer.subarray(at);
    neededBytes = frame === undefined ? rest.byteLength + 1 : frame.end - at;
    if (at === 0 && halfBytes > 0) return;
    drop();
    if (rest.byteLength > 0) keep(rest);
  };
  return { push, drop };
}

/** Where the message whose length begins at `at` is; undefined while its length has not arrived. */
function frameAt(buffer: Uint8Array, at: number, messageMaxBytes: number): { start: number; end: number } | undefined {
  const head = buffer.subarray(at, at + headBytesMax);
  if (!head.some((byte) => byte < 0x80)) {
    if (head.byteLength === headBytesMax) throw invalidMessage('a length of more than five bytes');
    return undefined;
  }
  const { value: size, end } = readVarint(head, 0);
  if (size > messageMaxBytes) throw invalidMessage(`${size} bytes, at most ${messageMaxBytes} are read`);
  return { start: at + end, end: at + end + size };
}
