import { abortedError, errorCodeOf, onAbort, abortReason, PeiliError } from '../../core/index.ts';
import type { Body, Chunk, Clock, Timer } from '../../core/index.ts';
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

const done: IteratorResult<Chunk, undefined> = { done: true, value: undefined };

/** A body as it arrives over a connection: whatever goes wrong at the other end is PEER_CLOSED here. */
export function createLinkBody(options: LinkBodyOptions): Body {
  const { clock, inner, fault, signal, onEnded } = options;
  const endOffset = options.promisedBytes === undefined ? Infinity : options.startOffset + options.promisedBytes;
  const state: { offset: number; ended: PeiliError | 'done' | undefined; timer: Timer | undefined } = {
    offset: options.startOffset,
    ended: undefined,
    timer: undefined,
  };
  let rejectPending: ((reason: PeiliError) => void) | undefined;
  let unhook = (): void => undefined;
  /** What was lent beyond the fault's place. */
  let held: Chunk | undefined;

  const finish = (reason: PeiliError | 'done'): void => {
    if (state.ended !== undefined) return;
    state.ended = reason;
    state.timer?.cancel();
    unhook();
    if (reason !== 'done') rejectPending?.(reason);
    rejectPending = undefined;
    void inner.return();
    onEnded();
  };
  unhook = onAbort(signal, () => {
    finish(abortReason(signal));
  });

  const waits = (delayUs: number): Promise<void> =>
    new Promise((resolve) => {
      state.timer = clock.schedule(delayUs, () => {
        state.timer = undefined;
        resolve();
      });
    });

  /** Rejects at the fault's place; pending for ever at a stall, until the body is ended. */
  const meetFault = async (): Promise<void> => {
    if (fault === undefined || fault.type === 'flip' || fault.type === 'slow') return;
    // Behind the last byte there is nothing to cut.
    if (state.offset !== fault.atByte || state.offset === endOffset) return;
    if (fault.type === 'cut') throw closed('the connection was cut');
    await new Promise(() => undefined);
  };

  const take = async (): Promise<IteratorResult<Chunk, undefined>> => {
    const pending = held;
    held = undefined;
    await meetFault();
    const step = pending === undefined ? await inner.next() : { done: false as const, value: pending };
    if (step.done === true) {
      if (state.offset < endOffset && endOffset !== Infinity) throw closed('the answer ended early');
      finish('done');
      return done;
    }
    const [now, later] = splitAt(step.value, faultDistance());
    held = later;
    if (fault?.type === 'slow') await waits((now.byteLength * 1_000_000) / fault.bytesPerSecond);
    const value = fault?.type === 'flip' ? flipped(now, fault.atByte - state.offset) : now;
    state.offset += value.byteLength;
    return { done: false, value };
  };

  const faultDistance = (): number => {
    if (fault?.type !== 'cut' && fault?.type !== 'stall') return Infinity;
    const distance = fault.atByte - state.offset;
    return distance > 0 ? distance : Infinity;
  };

  const next = (): Promise<IteratorResult<Chunk, undefined>> => {
    if (state.ended !== undefined) {
      return state.ended === 'done' ? Promise.resolve(done) : Promise.reject(state.ended);
    }
    return new Promise((resolve, reject) => {
      rejectPending = reject;
      take().then(
        (step) => {
          rejectPending = undefined;
          resolve(step);
        },
        (error: unknown) => {
          finish(
            errorCodeOf(error) === 'PEER_CLOSED' && error instanceof PeiliError ? error : closed('it gave up', error),
          );
        },
      );
    });
  };

  return {
    next,
    return: () => {
      finish(abortedError());
      return Promise.resolve(done);
    },
  };
}

export function closed(why: string, cause?: unknown): PeiliError {
  return new PeiliError('PEER_CLOSED', `the member closed the connection: ${why}`, {}, cause);
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
