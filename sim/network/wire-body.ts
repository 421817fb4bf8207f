import { abortedError, abortReason, onAbort, PeiliError } from '../../core/index.ts';
import type { Body, Chunk } from '../../core/index.ts';
import { keepChunk, SymbolChunk } from '../content/symbols.ts';
import type { Life } from '../kernel/life.ts';
import { paddingChunk, withWrongByte } from './break-bytes.ts';
import type { Flow } from './flow.ts';
import type { HttpFault } from './http-fault.ts';
import type { Patience } from './patience.ts';

export interface WireBodyOptions {
  /** What the server gives. */
  readonly inner: Body;
  /** What it has promised; undefined: the connection's end is the body's. */
  readonly lengthBytes: number | undefined;
  readonly flow: Flow;
  readonly fault: HttpFault | undefined;
  readonly serverLife: Life;
  readonly clientLife: Life;
  /** The reader's: ends the body until it has seen the end. */
  readonly signal: AbortSignal;
  readonly patience: Patience;
  /** What has arrived beyond what was read, at most: the socket's buffers. */
  readonly readAheadBytes: number;
  readonly nowUs: () => number;
  /** Bytes that have arrived, one after the other since `sinceUs`; `isWrong` when one of them is another one. */
  readonly onBytes: (bytes: number, isWrong: boolean, sinceUs: number, symbols: SymbolChunk | undefined) => void;
  /** Once. */
  readonly onEnded: (how: WireEnd) => void;
}

/**
 * `complete`: all bytes; `fin`, `rst`: ended by the server before; `closed`: by the reader. `short` and `surplus`: the server took it for complete, and had
 * promised another length: the reader sees FIN after the former, and nothing of the latter.
 */
export type WireEnd = 'complete' | 'fin' | 'rst' | 'closed' | 'short' | 'surplus';

type Step = IteratorResult<Chunk, undefined>;

/** What a process that stands still or dies has already given to its kernel: Linux' `tcp_wmem` grows to 4 MiB, and is seldom there. */
const sendBufferBytes = 512 * 1024;

const done: Step = { done: true, value: undefined };

/** A body on its way: the server's chunks pass the flow, some ahead of the reader. */
export class WireBody implements Body {
  readonly #options: WireBodyOptions;
  readonly #arrived: Chunk[] = [];
  readonly #unhookServer: () => void;
  readonly #unhookReader: () => void;
  readonly #beganUs: number;
  /** Where the fault is; Infinity: nowhere. */
  readonly #faultAt: number;
  readonly #lengthBytes: number;
  #arrivedBytes = 0;
  #offset = 0;
  #isMoving = false;
  /** What is on its way now, and may be held back. */
  #carried: Chunk | undefined;
  #waiting: PromiseWithResolvers<Step> | undefined;
  /** What the reader is told once it has read what arrived. */
  #end: PeiliError | 'done' | undefined;
  #isOver = false;

  constructor(options: WireBodyOptions) {
    this.#options = options;
    this.#beganUs = options.nowUs();
    this.#lengthBytes = options.lengthBytes ?? Infinity;
    this.#faultAt = faultAt(options.fault, this.#lengthBytes);
    const { signal } = options;
    this.#unhookReader = onAbort(signal, () => {
      this.close(abortReason(signal));
    });
    this.#unhookServer = options.serverLife.onPause(() => {
      this.#hold(() => {
        this.#goOn();
      });
    });
    this.#move();
  }

  next(): Promise<IteratorResult<Chunk, undefined>> {
    const chunk = this.#arrived.shift();
    if (chunk !== undefined) {
      this.#arrivedBytes -= chunk.byteLength;
      this.#move();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#end !== undefined) {
      this.#unhookReader();
      return this.#end === 'done' ? Promise.resolve(done) : Promise.reject(this.#end);
    }
    const waiting = Promise.withResolvers<Step>();
    this.#waiting = waiting;
    this.#move();
    return waiting.promise;
  }

  return(): Promise<IteratorResult<Chunk, undefined>> {
    this.close(undefined);
    return Promise.resolve(done);
  }

  /** The reader's side ends. */
  close(reason: PeiliError | undefined): void {
    this.#unhookReader();
    this.#arrived.length = 0;
    this.#arrivedBytes = 0;
    // All that was promised has arrived: to the server it is complete, whatever its reader does now.
    if (this.#end === 'done') {
      this.#end = reason ?? 'done';
      // What lay unread had kept the server's end from being seen.
      this.#move();
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#end ??= reason ?? (waiting === undefined ? 'done' : abortedError());
    const end = this.#end;
    this.#release('closed');
    if (waiting === undefined || end === 'done') return;
    this.#options.clientLife.run(() => {
      waiting.reject(end);
    });
  }

  /** The server's program has gone: what its kernel has still comes, then FIN, which takes nothing from a body that is whole. */
  onServerGone(): void {
    const end = (): void => {
      if (this.#end === 'done') this.#finish('done', 'complete');
      else this.#finish(closedError('the program is gone'), 'fin');
    };
    if (this.#carried === undefined) end();
    else this.#hold(end);
  }

  /** Brings the server's next chunk over, where there is room for it. */
  #move(): void {
    if (this.#isMoving || this.#isOver || this.#arrivedBytes >= this.#options.readAheadBytes) return;
    this.#isMoving = true;
    this.#options.serverLife.run(this.#read);
  }

  // What happens with each chunk is made once for all of them.
  readonly #read = (): void => {
    if (!this.#isOver) this.#options.inner.next().then(this.#onStep, this.#onInnerFailure);
  };

  readonly #onStep = (step: Step): void => {
    this.#options.serverLife.give(this.#take, step);
  };

  readonly #take = (step: Step): void => {
    if (this.#isOver) return;
    if (step.done === true) this.#onInnerEnd();
    else this.#carry(keepChunk(step.value));
  };

  readonly #onInnerFailure = (cause: unknown): void => {
    this.#options.serverLife.run(() => {
      const isReset = cause instanceof PeiliError && cause.code === 'DIGEST_MISMATCH';
      this.#finish(isReset ? resetError(cause) : closedError('it gave up', cause), isReset ? 'rst' : 'fin');
    });
  };

  #onInnerEnd(): void {
    const { fault } = this.#options;
    const missing = this.#lengthBytes - this.#offset;
    if (fault?.kind === 'long-length' && missing > 0) this.#carry(paddingChunk(missing));
    else if (missing > 0 && missing !== Infinity) this.#finish(closedError('too few bytes'), 'short');
    else this.#finish('done', 'complete');
  }

  #carry(chunk: Chunk): void {
    const room = Math.min(this.#faultAt, this.#lengthBytes) - this.#offset;
    if (room <= 0) {
      this.#meetEnd();
      return;
    }
    this.#carried = chunk;
    const bytes = Math.min(chunk.byteLength, room);
    this.#options.flow.want(bytes, this.#quantumUs(), this.#onCame);
  }

  readonly #onCame = (came: number): void => {
    const chunk = this.#carried;
    if (chunk === undefined) return;
    this.#carried = undefined;
    const isAll = came === chunk.byteLength;
    this.#arrive(isAll ? chunk : chunk.subarray(0, came));
    if (this.#isOver) return;
    if (isAll) this.#goOn();
    else this.#carry(chunk.subarray(came, chunk.byteLength));
  };

  #goOn(): void {
    this.#isMoving = false;
    this.#move();
  }

  /** The server stands still or has gone: what its kernel has of the chunk still comes; then `goOn`, for what is left once it goes on. */
  #hold(goOn: () => void): void {
    const chunk = this.#carried;
    if (chunk === undefined || this.#isOver) return;
    this.#carried = undefined;
    const { flow, serverLife } = this.#options;
    const arrived = flow.interrupt();
    if (arrived > 0) this.#arrive(chunk.subarray(0, arrived));
    const room = Math.min(this.#faultAt, this.#lengthBytes) - this.#offset;
    const end = Math.min(chunk.byteLength, arrived + sendBufferBytes, arrived + room);
    this.#carryRest(chunk.subarray(arrived, end), () => {
      if (serverLife.isOver) {
        goOn();
        return;
      }
      serverLife.run(() => {
        if (this.#isOver) return;
        if (end < chunk.byteLength) this.#carry(chunk.subarray(end, chunk.byteLength));
        else goOn();
      });
    });
  }

  #carryRest(rest: Chunk, goOn: () => void): void {
    if (rest.byteLength <= 0) {
      goOn();
      return;
    }
    this.#options.flow.want(rest.byteLength, this.#quantumUs(), (came) => {
      this.#arrive(rest.subarray(0, came));
      if (!this.#isOver) this.#carryRest(rest.subarray(came, rest.byteLength), goOn);
    });
  }

  #quantumUs(): number {
    const { nowUs, patience } = this.#options;
    return patience(nowUs() - this.#beganUs);
  }

  #arrive(received: Chunk): void {
    const { fault, flow, onBytes } = this.#options;
    const distance = fault?.kind === 'flip' ? flipAt(fault.atByte, this.#lengthBytes) - this.#offset : -1;
    const isHit = distance >= 0 && distance < received.byteLength;
    const chunk = isHit ? withWrongByte(received, distance) : received;
    this.#offset += chunk.byteLength;
    if (this.#offset === this.#lengthBytes) this.#end = 'done';
    const symbols = chunk instanceof SymbolChunk ? chunk : undefined;
    onBytes(chunk.byteLength, symbols === undefined ? isHit : symbols.wrongAt >= 0, flow.cameSinceUs, symbols);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) {
      this.#options.clientLife.give(waiting.resolve, { done: false, value: chunk });
      return;
    }
    this.#arrived.push(chunk);
    this.#arrivedBytes += chunk.byteLength;
  }

  #meetEnd(): void {
    const { fault } = this.#options;
    if (this.#offset < this.#faultAt) this.#finish('done', fault?.kind === 'short-length' ? 'complete' : 'surplus');
    else if (fault?.kind === 'reset') this.#finish(resetError(undefined), 'rst');
    else if (fault?.kind === 'cut') this.#finish(closedError('it was cut'), 'fin');
    // A stall is nothing more than bytes that do not come.
  }

  /** The server's side has ended. */
  #finish(end: PeiliError | 'done', how: WireEnd): void {
    if (this.#isOver) return;
    this.#end ??= end;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#release(how);
    if (waiting === undefined) return;
    this.#unhookReader();
    this.#options.clientLife.run(() => {
      if (this.#end === 'done' || end === 'done') waiting.resolve(done);
      else waiting.reject(end);
    });
  }

  #release(how: WireEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unhookServer();
    this.#options.flow.close();
    this.#options.serverLife.run(() => {
      void this.#options.inner.return();
    });
    this.#options.onEnded(how);
  }
}

/** The bytes before it come. */
function faultAt(fault: HttpFault | undefined, lengthBytes: number): number {
  if (fault?.kind !== 'reset' && fault?.kind !== 'cut' && fault?.kind !== 'stall') return Infinity;
  return flipAt(fault.atByte, lengthBytes);
}

function flipAt(atByte: number, lengthBytes: number): number {
  return atByte < 0 ? Math.max(0, lengthBytes + atByte) : atByte;
}

export function closedError(why: string, cause?: unknown): PeiliError {
  return new PeiliError('PEER_CLOSED', `the connection ended: ${why}`, {}, cause);
}

function resetError(cause: unknown): PeiliError {
  return new PeiliError('PEER_CLOSED', 'the connection was reset', { reset: true }, cause);
}

/** Whether what a body ended with was an RST: to mirrors it is one end like others, containerd gives up. */
export function isReset(cause: unknown): boolean {
  return cause instanceof PeiliError && cause.code === 'PEER_CLOSED' && cause.details['reset'] === true;
}
