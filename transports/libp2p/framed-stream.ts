import type { Stream } from '@libp2p/interface';
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
  /** Once per message; bytes are the callee's. What it throws ends the stream. */
  readonly onMessage: (message: Uint8Array) => void;
  /** Once, when nothing comes any more; the reason, if it was not an orderly end. */
  readonly onEnd: (reason: Error | undefined) => void;
  /** Stops reading while the other side does not read what we answer, so that its answers do not pile up here. */
  readonly pauseWhenFull: boolean;
}

const headBytesMax = 5;

export function createFramedStream(stream: Stream, options: FramedStreamOptions): FramedStream {
  const split = createMessageSplitter(options.messageMaxBytes);
  let ended = false;
  const end = (reason: Error | undefined): void => {
    if (ended) return;
    ended = true;
    options.onEnd(reason);
  };
  const reset = (reason: Error): void => {
    end(reason);
    stream.abort(reason);
  };
  stream.addEventListener('message', ({ data }) => {
    try {
      split(data.subarray(), (message) => {
        if (!ended) options.onMessage(message);
      });
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

/** Cuts what arrives into messages. Throws `RECORDS_INVALID`; of no use after that. */
export function createMessageSplitter(
  messageMaxBytes: number,
): (bytes: Uint8Array, onMessage: (message: Uint8Array) => void) => void {
  let parts: Uint8Array[] = [];
  let gatheredBytes = 0;
  /** How many bytes are needed before looking again: a message in a thousand pieces is put together once. */
  let neededBytes = 1;
  return (bytes, onMessage) => {
    parts.push(bytes);
    gatheredBytes += bytes.byteLength;
    if (gatheredBytes < neededBytes) return;
    const buffer = parts.length === 1 ? bytes : Buffer.concat(parts);
    let at = 0;
    let frame = frameAt(buffer, at, messageMaxBytes);
    while (frame !== undefined && frame.end <= buffer.byteLength) {
      onMessage(buffer.subarray(frame.start, frame.end));
      at = frame.end;
      frame = frameAt(buffer, at, messageMaxBytes);
    }
    const rest = buffer.subarray(at);
    parts = rest.byteLength === 0 ? [] : [rest];
    gatheredBytes = rest.byteLength;
    neededBytes = frame === undefined ? gatheredBytes + 1 : frame.end - at;
  };
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
