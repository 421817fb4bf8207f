import { PeiliError } from '../../core/index.ts';
import type { Body, Chunk, Clock, Timer } from '../../core/index.ts';
import { createFramedBody } from '../system/framed-body.ts';
import type { BodyFault } from './link-fault.ts';

export interface LinkBodyOptions {
  readonly clock: Clock;
  /** The answerer's body; its chunks are passed on as they are lent. */
  readonly inner: Body;
  /** The content's offset of the first byte. */
  readonly startOffset: number;
  /** Bytes promised by Content-Length; undefined without one. */
  readonly promisedBytes: number | undefined;
  readonly fault: BodyFault | undefined;
  readonly signal: AbortSignal;
  readonly onEnded: () => void;
}

/** A body as it arrives over a connection: whatever goes wrong at the other end is PEER_CLOSED here. */
export function createLinkBody(options: LinkBodyOptions): Body {
  const { clock, inner, fault, startOffset, promisedBytes, signal, onEnded } = options;
  const endOffset = promisedBytes === undefined ? undefined : startOffset + promisedBytes;
  /** `held`: what the answerer lent beyond the fault's place. */
  const state: { offset: number; held: Chunk | undefined; timer: Timer | undefined } = {
    offset: startOffset,
    held: undefined,
    timer: undefined,
  };

  const waitUs = (delayUs: number): Promise<void> =>
    new Promise((resolve) => {
      state.timer = clock.schedule(delayUs, resolve);
    });

  /** Rejects at the place of a cut; stays pending at that of a stall, until the body is ended. */
  const passFault = async (): Promise<void> => {
    if (fault?.type !== 'cut' && fault?.type !== 'stall') return;
    // Behind the last byte there is nothing to cut.
    if (state.offset !== fault.atByte || state.offset === endOffset) return;
    if (fault.type === 'cut') throw closed('it was cut');
    await new Promise(() => undefined);
  };

  const receive = async (): Promise<Chunk | undefined> => {
    const { held } = state;
    state.held = undefined;
    if (held !== undefined) return held;
    const step = await inner.next();
    return step.value;
  };

  const take = async (): Promise<Chunk | undefined> => {
    await passFault();
    const received = await receive();
    if (received === undefined) {
      if (endOffset !== undefined && state.offset < endOffset) throw closed('the answer ended early');
      return undefined;
    }
    const [now, later] = splitAt(received, bytesBefore(fault, state.offset));
    state.held = later;
    if (fault?.type === 'slow') await waitUs((now.byteLength * 1_000_000) / fault.bytesPerSecond);
    const chunk = fault?.type === 'flip' ? flipped(now, fault.atByte - state.offset) : now;
    state.offset += chunk.byteLength;
    return chunk;
  };

  const release = (): void => {
    state.timer?.cancel();
    void inner.return();
    onEnded();
  };
  const failure = (cause: unknown): PeiliError =>
    cause instanceof PeiliError && cause.code === 'PEER_CLOSED' ? cause : closed('it gave up', cause);
  return createFramedBody({ take, failure, release }, signal);
}

export function closed(why: string, cause?: unknown): PeiliError {
  return new PeiliError('PEER_CLOSED', `the member closed the connection: ${why}`, {}, cause);
}

/** Bytes that still come before a cut or a stall. */
function bytesBefore(fault: BodyFault | undefined, offset: number): number {
  if (fault?.type !== 'cut' && fault?.type !== 'stall') return Infinity;
  return fault.atByte > offset ? fault.atByte - offset : Infinity;
}

function splitAt(chunk: Chunk, distance: number): [Chunk, Chunk | undefined] {
  if (distance >= chunk.byteLength) return [chunk, undefined];
  return [chunk.subarray(0, distance), chunk.subarray(distance, chunk.byteLength)];
}

function flipped(chunk: Chunk, index: number): Chunk {
  if (!(chunk instanceof Uint8Array) || index < 0 || index >= chunk.byteLength) return chunk;
  const copy = Uint8Array.from(chunk);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}
