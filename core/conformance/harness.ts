import { errorCodeOf } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Chunk } from '../ports/index.ts';

/** The part of `node:assert/strict` that the suites use. */
export interface Assert {
  ok(value: unknown, message?: string): void;
  equal(actual: unknown, expected: unknown, message?: string): void;
  deepEqual(actual: unknown, expected: unknown, message?: string): void;
}

/** As `test` of node:test. */
export type TestFunction = (name: string, options: { readonly skip?: string }, run: () => Promise<void>) => unknown;

export interface SuiteTools {
  readonly test: TestFunction;
  readonly assert: Assert;
  /**
   * Lets the implementation go on: a few milliseconds of real time, or as much virtual time. The suites never wait in another way:
   * `() => new Promise((resolve) => setTimeout(resolve, 2))`, or `() => clock.advance(2_000)`.
   */
  readonly pause: () => Promise<void>;
  /** Pauses after which something never happens. @default 2,500: some seconds of real time */
  readonly pausesMax?: number;
}

/** What an implementation supports: true, or the reason why it does not, which becomes the reason of the skip. */
export interface Manifest<Capability extends string> {
  /** Stands before the names of the tests. */
  readonly name: string;
  readonly supports: Readonly<Record<Capability, true | string>>;
}

/** What a suite gets from an implementation for one test. */
export interface Subject {
  /** Timers, streams, listeners and calls that are left: zero when everything is at rest. */
  pending?(): number;
  close?(): Promise<void> | void;
}

export interface Harness<Capability extends string, S extends Subject> {
  /** Declares one law; it runs on a subject of its own, which must be at rest in the end. */
  law(name: string, run: (subject: S) => Promise<void>): void;
  /** A law that needs something that not every implementation has. */
  lawOf(capability: Capability, name: string, run: (subject: S) => Promise<void>): void;
  /** The promise's result; fails if it never comes. */
  settle<T>(promise: Promise<T>): Promise<T>;
  until(what: string, condition: () => boolean): Promise<void>;
  /** Fails unless the promise rejects with one of the codes. */
  rejects(promise: Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<void>;
  readonly assert: Assert;
  readonly pause: () => Promise<void>;
}

export function createHarness<Capability extends string, S extends Subject>(
  tools: SuiteTools,
  port: string,
  manifest: Manifest<Capability>,
  factory: () => Promise<S> | S,
): Harness<Capability, S> {
  const { assert, pause, pausesMax = 2_500 } = tools;
  const until = async (what: string, condition: () => boolean): Promise<void> => {
    for (let pauses = 0; !condition(); pauses += 1) {
      if (pauses === pausesMax) throw new Error(`never happened: ${what}`);
      await pause();
    }
  };
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    const state = { settled: false };
    const mark = (): void => {
      state.settled = true;
    };
    const marked = promise.then(mark, mark);
    for (let pauses = 0; !state.settled; pauses += 1) {
      if (pauses === pausesMax) throw new Error('a promise never settled');
      await Promise.race([marked, pause()]);
    }
    return promise;
  };
  const rejects = async (promise: Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<void> => {
    const outcome = await settle(promise.then(() => 'no error', codeOrThrow));
    assert.ok(
      codes.some((code) => code === outcome),
      `rejects with ${codes.join(' or ')}, not with ${outcome}`,
    );
  };
  const run = async (name: string, law: (subject: S) => Promise<void>): Promise<void> => {
    const subject = await factory();
    try {
      await law(subject);
      await until(`at rest after "${name}"`, () => (subject.pending?.() ?? 0) === 0);
    } finally {
      await subject.close?.();
    }
  };
  const declare = (name: string, supported: true | string, law: (subject: S) => Promise<void>): void => {
    const options = supported === true ? {} : { skip: supported };
    void tools.test(`${manifest.name}: ${port}: ${name}`, options, () => run(name, law));
  };
  return {
    law: (name, law) => {
      declare(name, true, law);
    },
    lawOf: (capability, name, law) => {
      declare(name, manifest.supports[capability], law);
    },
    settle,
    until,
    rejects,
    assert,
    pause,
  };
}

function codeOrThrow(error: unknown): ErrorCode {
  const code = errorCodeOf(error);
  if (code === undefined) throw error;
  return code;
}

/** A signal that never aborts; a new one each time, so that forgotten listeners do not gather on one. */
export function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

/** A signal that has aborted already. */
export function abortedSignal(): AbortSignal {
  const controller = new AbortController();
  controller.abort();
  return controller.signal;
}

/** Bytes that tell their place: no two stretches of them are alike, at whatever distance. */
export function patternBytes(sizeBytes: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  // The top byte of Knuth's multiplicative hash: it repeats after 2^32 only.
  for (let index = 0; index < sizeBytes; index += 1) bytes[index] = Math.imul(index + salt * 7_919, 0x9e3779b1) >>> 24;
  return bytes;
}

/** How a suite reads a chunk. Where chunks are symbols, their port says which bytes they stand for. */
export type BytesOf = (chunk: Chunk) => Uint8Array;

export const bytesOfChunk: BytesOf = (chunk) => {
  if (!(chunk instanceof Uint8Array))
    throw new Error('this chunk is no Uint8Array: the factory must say how to read it');
  return chunk;
};

/** A signal that counts its listeners. */
export interface CountedSignal {
  readonly signal: AbortSignal;
  listeners(): number;
}

export function countedSignal(): CountedSignal {
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  const addEventListener: typeof add = (...call: Parameters<typeof add>) => {
    listeners.add(call[1]);
    add(...call);
  };
  const removeEventListener: typeof remove = (...call: Parameters<typeof remove>) => {
    listeners.delete(call[1]);
    remove(...call);
  };
  Object.assign(signal, { addEventListener, removeEventListener });
  return { signal, listeners: () => listeners.size };
}
