import { abortedError, onAbort } from '../abort.ts';
import { PeiliError } from '../errors.ts';
import type { Body, Chunk, Clock, Timer } from '../ports/index.ts';

/** How a body behaves. Offsets are of the whole content, so that a fault stays where it is whatever range is asked for. */
export interface BodyScript {
  readonly chunkBytes?: number;
  /** Time before each chunk, microseconds. @default 0 */
  readonly chunkUs?: number;
  /** The connection breaks before this byte. */
  readonly cutAt?: number;
  /** No byte from this one on, for ever. */
  readonly stallAt?: number;
  /** This byte is wrong. */
  readonly flipAt?: number;
  /** Ends cleanly before this byte. */
  readonly endAt?: number;
  /** So many bytes too many. */
  readonly longBy?: number;
  /** What a cut rejects with. @default PEER_CLOSED */
  readonly cutError?: PeiliError;
}

export interface ScriptedBodyInput {
  readonly clock: Clock;
  readonly content: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly script: BodyScript;
  readonly signal: AbortSignal;
  /** Called once, when the body holds nothing any more. */
  readonly onClosed: () => void;
}

interface State {
  offset: number;
  over: boolean;
  letGo: () => void;
  lent?: Uint8Array;
  reject?: ((error: Error) => void) | undefined;
  timer?: Timer;
}

const poison = 0xdd;
const done: IteratorResult<Chunk, undefined> = { done: true, value: undefined };

/** Bytes of a source by script. Chunks are borrowed: their bytes are spoilt as soon as the next one is asked for. */
export function createScriptedBody(input: ScriptedBodyInput): Body {
  const { clock, content, script, signal } = input;
  const end = input.end + (script.longBy ?? 0);
  const state: State = { offset: input.start, over: false, letGo: () => undefined };
  const close = (): void => {
    state.lent?.fill(poison);
    state.timer?.cancel();
    if (state.over) return;
    state.over = true;
    state.letGo();
    input.onClosed();
    state.reject?.(abortedError());
  };
  state.letGo = onAbort(signal, close);

  const stop = (at: number | undefined): boolean => at !== undefined && state.offset >= at;
  const take = (): Uint8Array => {
    const limits = [
      end,
      state.offset + (script.chunkBytes ?? 16),
      ...bounds(script).filter((bound) => bound > state.offset),
    ];
    const to = Math.min(...limits);
    const chunk = Uint8Array.from({ length: to - state.offset }, (_, index) => content[state.offset + index] ?? 0xee);
    const flip = (script.flipAt ?? -1) - state.offset;
    if (flip >= 0 && flip < chunk.length) chunk[flip] = (chunk[flip] ?? 0) ^ 0xff;
    state.offset = to;
    state.lent = chunk;
    return chunk;
  };
  const give = (): IteratorResult<Chunk, undefined> => {
    if (state.offset >= end || stop(script.endAt)) {
      close();
      return done;
    }
    if (stop(script.cutAt)) {
      close();
      throw script.cutError ?? new PeiliError('PEER_CLOSED', 'cut by script', { at: state.offset });
    }
    return { done: false, value: take() };
  };
  return {
    next: () =>
      new Promise((resolve, reject) => {
        if (state.reject !== undefined) throw new Error('two reads of one body at once');
        state.lent?.fill(poison);
        if (state.over) {
          resolve(done);
          return;
        }
        const settle = (call: () => void): void => {
          state.reject = undefined;
          call();
        };
        state.reject = (error) => {
          settle(() => {
            reject(error);
          });
        };
        const answer = (): void => {
          settle(() => {
            try {
              resolve(give());
            } catch (error) {
              reject(error);
            }
          });
        };
        if (stop(script.stallAt) && state.offset < end) return;
        if (script.chunkUs === undefined) answer();
        else state.timer = clock.schedule(script.chunkUs, answer);
      }),
    return: () => {
      close();
      return Promise.resolve(done);
    },
  };
}

function bounds(script: BodyScript): number[] {
  return [script.cutAt, script.stallAt, script.endAt].filter((bound) => bound !== undefined);
}
