import { abortedError, abortReason, onAbort, PeiliError } from '../../core/index.ts';
import type { Body, Chunk } from '../../core/index.ts';
import { keepChunk, SymbolChunk } from '../content/symbols.ts';
import type { Life } from '../kernel/life.ts';
import type { Flow } from './flow.ts';
import type { HttpFault } from './http-fault.ts';

export interface WireBodyOptions {
  /** What the server gives. */
  readonly inner: Body;
  readonly flow: Flow;
  readonly fault: HttpFault | undefined;
  readonly serverLife: Life;
  readonly clientLife: Life;
  /** Ends it, as the connection's end does. */
  readonly signal: AbortSignal;
  /** What has arrived beyond what was read, at most: the socket's buffers. */
  readonly readAheadBytes: number;
  /** Bytes that have arrived; `isWrong` when one of them is another one. */
  readonly onBytes: (bytes: number, isWrong: boolean, symbols: SymbolChunk | undefined) => void;
  /** Once. */
  readonly onEnded: (how: WireEnd) => void;
}

/** `complete`: all bytes; `fin`, `rst`: ended by the server before; `closed`: by the reader. */
export type WireEnd = 'complete' | 'fin' | 'rst' | 'closed';

/** A body on its way: the server's chunks pass the flow, some ahead of the reader. */
export function createWireBody(options: WireBodyOptions): Body {
  return new WireBody(options);
}

interface Waiting {
  readonly resolve: (result: IteratorResult<Chunk, undefined>) => void;
  readonly reject: (reason: PeiliError) => void;
}

/** What a process that stands still has already given to its kernel: Linux' `tcp_wmem` grows to 4 MiB, and is seldom there. */
const sendBufferBytes = 512 * 1024;

/** A reader that waits gets what has come after this time, though more is on its way. */
const quantumUs = 100_000;

const done: IteratorResult<Chunk, undefined> = { done: true, value: undefined };

class WireBody implements Body {
  readonly #options: WireBodyOptions;
  readonly #arrived: Chunk[] = [];
  readonly #unhook: readonly (() => void)[];
  #arrivedBytes = 0;
  #offset = 0;
  #isMoving = false;
  /** What is on its way now. */
  #carried: Chunk | undefined;
  #waiting: Waiting | undefined;
  /** What the reader is told once it has read what arrived. */
  #end: PeiliError | 'done' | undefined;
  #isOver = false;

  constructor(options: WireBodyOptions) {
    this.#options = options;
    this.#unhook = [
      onAbort(options.signal, () => {
        this.#close(abortReason(options.signal));
      }),
      options.serverLife.onPause(() => {
        this.#hold();
      }),
    ];
    this.#move();
  }

  next(): Promise<IteratorResult<Chunk, undefined>> {
    const chunk = this.#arrived.shift();
    if (chunk !== undefined) {
      this.#arrivedBytes -= chunk.byteLength;
      this.#move();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#end === 'done') return Promise.resolve(done);
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#move();
    });
  }

  return(): Promise<IteratorResult<Chunk, undefined>> {
    this.#close(abortedError());
    return Promise.resolve(done);
  }

  /** Brings the server's next chunk over, where there is room for it. */
  #move(): void {
    if (this.#isMoving || this.#end !== undefined || this.#arrivedBytes >= this.#options.readAheadBytes) return;
    this.#isMoving = true;
    const { serverLife, inner } = this.#options;
    serverLife.run(() => {
      if (this.#isOver) return;
      inner.next().then(
        (step) => {
          serverLife.run(() => {
            if (this.#isOver) return;
            if (step.done === true) this.#finish('done', 'complete');
            else this.#carry(keepChunk(step.value));
          });
        },
        (cause: unknown) => {
          serverLife.run(() => {
            const isReset = cause instanceof PeiliError && cause.code === 'DIGEST_MISMATCH';
            this.#finish(closedError('it gave up', cause), isReset ? 'rst' : 'fin');
          });
        },
      );
    });
  }

  #carry(chunk: Chunk): void {
    const room = this.#bytesBeforeFault();
    if (room === 0) {
      this.#meetFault();
      return;
    }
    this.#carried = chunk;
    this.#options.flow.want(Math.min(chunk.byteLength, room), quantumUs, (bytes) => {
      this.#carried = undefined;
      this.#arrive(chunk.subarray(0, bytes));
      if (bytes < chunk.byteLength) {
        if (!this.#isOver) this.#carry(chunk.subarray(bytes, chunk.byteLength));
        return;
      }
      this.#isMoving = false;
      this.#move();
    });
  }

  /** The server stands still: what its kernel has of the chunk still comes, the rest once it goes on. */
  #hold(): void {
    const chunk = this.#carried;
    if (chunk === undefined || this.#isOver) return;
    this.#carried = undefined;
    const { flow, serverLife } = this.#options;
    const arrived = flow.interrupt();
    if (arrived > 0) this.#arrive(chunk.subarray(0, arrived));
    const end = Math.min(chunk.byteLength, arrived + sendBufferBytes, arrived + this.#bytesBeforeFault());
    const goOn = (): void => {
      serverLife.run(() => {
        if (this.#isOver) return;
        if (end < chunk.byteLength) this.#carry(chunk.subarray(end, chunk.byteLength));
        else {
          this.#isMoving = false;
          this.#move();
        }
      });
    };
    if (end === arrived) goOn();
    else this.#carryRest(chunk.subarray(arrived, end), goOn);
  }

  #carryRest(rest: Chunk, goOn: () => void): void {
    this.#options.flow.want(rest.byteLength, quantumUs, (bytes) => {
      this.#arrive(rest.subarray(0, bytes));
      if (this.#isOver) return;
      if (bytes === rest.byteLength) goOn();
      else this.#carryRest(rest.subarray(bytes, rest.byteLength), goOn);
    });
  }

  #arrive(received: Chunk): void {
    const { fault, onBytes } = this.#options;
    const distance = fault?.kind === 'flip' ? fault.atByte - this.#offset : -1;
    const isHit = distance >= 0 && distance < received.byteLength;
    const chunk = isHit ? withWrongByte(received, distance) : received;
    this.#offset += chunk.byteLength;
    const symbols = chunk instanceof SymbolChunk ? chunk : undefined;
    onBytes(chunk.byteLength, symbols === undefined ? isHit : symbols.wrongAt >= 0, symbols);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) {
      this.#options.clientLife.run(() => {
        waiting.resolve({ done: false, value: chunk });
      });
      return;
    }
    this.#arrived.push(chunk);
    this.#arrivedBytes += chunk.byteLength;
  }

  #bytesBeforeFault(): number {
    const { fault } = this.#options;
    if (fault?.kind !== 'reset' && fault?.kind !== 'stall') return Infinity;
    return Math.max(0, fault.atByte - this.#offset);
  }

  #meetFault(): void {
    // A stall is nothing more than bytes that do not come.
    if (this.#options.fault?.kind === 'reset') this.#finish(closedError('it was reset'), 'fin');
  }

  /** The server's side has ended. */
  #finish(end: PeiliError | 'done', how: WireEnd): void {
    if (this.#isOver) return;
    this.#end = end;
    this.#release(how);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#options.clientLife.run(() => {
      if (end === 'done') waiting?.resolve(done);
      else waiting?.reject(end);
    });
  }

  /** The reader's side has. */
  #close(reason: PeiliError): void {
    this.#arrived.length = 0;
    if (this.#isOver) {
      this.#end ??= reason;
      return;
    }
    this.#finish(reason, 'closed');
  }

  #release(how: WireEnd): void {
    this.#isOver = true;
    for (const unhook of this.#unhook) unhook();
    this.#options.flow.close();
    this.#options.serverLife.run(() => {
      void this.#options.inner.return();
    });
    this.#options.onEnded(how);
  }
}

export function closedError(why: string, cause?: unknown): PeiliError {
  return new PeiliError('PEER_CLOSED', `the connection ended: ${why}`, {}, cause);
}

function withWrongByte(chunk: Chunk, distance: number): Chunk {
  if (chunk instanceof SymbolChunk) return chunk.withWrongByte(chunk.offset + distance);
  if (!(chunk instanceof Uint8Array)) return chunk;
  const copy = chunk.slice();
  copy[distance] = (copy[distance] ?? 0) ^ 0xff;
  return copy;
}
