import nodeCrypto from 'node:crypto';
import { promises as files } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import zlib from 'node:zlib';
import type { KernelGuard } from './kernel.ts';

/**
 * Stands before everything of this process that two runs would not see alike: real time, real chance, and whatever the event loop ends when it likes. Between
 * `enter()` and `leave()` a use of it throws and is told, wherever it happens; outside it goes through, so a progress line may have its timer while a
 * simulation runs. `queueMicrotask` and `process.nextTick` are not among it: what they call happens in one order.
 */
export interface PoisonGuard extends KernelGuard {
  /** Everything is as it was, once the last of those that stand at the same time is gone. Idempotent. */
  dispose(): void;
}

export interface PoisonGuardOptions {
  /** Frames in the stacks of errors that are made between `enter()` and `leave()`: taking them is a good part of a small run. @default as Node has it */
  readonly stackFrames?: number;
}

export function installPoisonGuard(options: PoisonGuardOptions = {}): PoisonGuard {
  const present: unknown = Reflect.get(Math.random, sharedKey);
  const shared = present instanceof SharedGuard ? present : new SharedGuard();
  return shared.join(options);
}

/** What all simulations of a process share: it hangs on what it has replaced, not on this module. */
const sharedKey = Symbol('peili poison guard');

interface Replaced {
  readonly holder: object;
  readonly name: string;
  readonly descriptor: PropertyDescriptor;
}

class SharedGuard {
  #users = 0;
  #replaced: Replaced[] = [];
  #onUse: ((misuse: Error) => void) | undefined;
  readonly #stackFrames = Error.stackTraceLimit;

  join({ stackFrames }: PoisonGuardOptions): PoisonGuard {
    if (this.#users === 0) this.#install();
    this.#users += 1;
    const state = { isOver: false };
    return {
      enter: (onUse) => {
        this.#onUse = onUse;
        if (stackFrames !== undefined) Error.stackTraceLimit = stackFrames;
      },
      leave: () => {
        this.#onUse = undefined;
        Error.stackTraceLimit = this.#stackFrames;
      },
      dispose: () => {
        if (state.isOver) return;
        state.isOver = true;
        this.#users -= 1;
        if (this.#users === 0) this.#uninstall();
      },
    };
  }

  #install(): void {
    for (const { holder, prefix, names } of functionsOf()) {
      for (const name of names) this.#replace(holder, name, (original) => this.#guarded(original, `${prefix}${name}`));
    }
    this.#replace(globalThis, 'Date', (original) => this.#guardedClass(original, 'Date', (given) => given === 0));
    for (const name of ['WeakRef', 'FinalizationRegistry'])
      this.#replace(globalThis, name, (original) => this.#guardedClass(original, name, () => true));
    this.#replace(Intl, 'DateTimeFormat', (original) =>
      this.#guardedClass(original, 'Intl.DateTimeFormat', () => true),
    );
    Object.defineProperty(Math.random, sharedKey, { value: this });
    syncBuiltinESMExports();
  }

  #uninstall(): void {
    for (const { holder, name, descriptor } of this.#replaced.toReversed())
      Object.defineProperty(holder, name, descriptor);
    this.#replaced = [];
    syncBuiltinESMExports();
  }

  #replace(start: object, name: string, replacement: (original: Callable) => unknown): void {
    const place = placeOf(start, name);
    // Not every Node has all of it.
    if (place === undefined || !isCallable(place.descriptor.value)) return;
    this.#replaced.push(place);
    Object.defineProperty(place.holder, name, { ...place.descriptor, value: replacement(place.descriptor.value) });
  }

  #guarded(original: Callable, label: string): Callable {
    const check = (): void => {
      this.#check(label);
    };
    const guarded = {
      call(this: unknown, ...values: unknown[]): unknown {
        check();
        return Reflect.apply(original, this, values);
      },
    }.call;
    Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(original));
    const inner: unknown = Reflect.get(original, 'bigint');
    if (isCallable(inner)) Object.assign(guarded, { bigint: this.#guarded(inner, `${label}.bigint`) });
    return guarded;
  }

  /** `new` of it with so many values is what is poisonous. */
  #guardedClass(original: Callable, label: string, isPoison: (given: number) => boolean): Callable {
    return new Proxy(original, {
      construct: (target, values: unknown[], newTarget) => {
        if (isPoison(values.length)) this.#check(`new ${label}`);
        return Reflect.construct(target, values, newTarget) as object;
      },
      apply: (target, self, values) => {
        this.#check(label);
        return Reflect.apply(target, self, values) as unknown;
      },
    });
  }

  #check(label: string): void {
    const onUse = this.#onUse;
    if (onUse === undefined) return;
    Error.stackTraceLimit = this.#stackFrames;
    const misuse = new Error(
      `${label} was used while a simulation ran: no two runs would see the same. Take time and chance through a port (Clock, Random)`,
    );
    onUse(misuse);
    throw misuse;
  }
}

type Callable = (...values: never[]) => unknown;

function isCallable(value: unknown): value is Callable {
  return typeof value === 'function';
}

/** Where along the chain of prototypes a property is. */
function placeOf(start: object, name: string): Replaced | undefined {
  for (let holder: object | null = start; holder !== null; holder = Reflect.getPrototypeOf(holder)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(holder, name);
    if (descriptor !== undefined) return { holder, name, descriptor };
  }
  return undefined;
}

interface Functions {
  readonly holder: object;
  readonly prefix: string;
  readonly names: readonly string[];
}

function functionsOf(): readonly Functions[] {
  const waits = ['setTimeout', 'setInterval', 'setImmediate'];
  return [
    { holder: globalThis, prefix: '', names: [...waits, 'fetch'] },
    { holder: timers, prefix: 'timers.', names: waits },
    { holder: timersPromises, prefix: 'timers/promises.', names: waits },
    { holder: timersPromises.scheduler, prefix: 'scheduler.', names: ['wait', 'yield'] },
    { holder: Date, prefix: 'Date.', names: ['now'] },
    { holder: performance, prefix: 'performance.', names: ['now'] },
    { holder: process, prefix: 'process.', names: ['hrtime', 'uptime'] },
    { holder: Math, prefix: 'Math.', names: ['random'] },
    { holder: AbortSignal, prefix: 'AbortSignal.', names: ['timeout', 'any'] },
    { holder: crypto, prefix: 'crypto.', names: ['getRandomValues', 'randomUUID'] },
    { holder: crypto.subtle, prefix: 'crypto.subtle.', names: subtleNames },
    { holder: nodeCrypto, prefix: 'crypto.', names: cryptoNames },
    { holder: zlib, prefix: 'zlib.', names: zlibNames },
    { holder: files, prefix: 'fs.promises.', names: fileNames },
  ];
}

const subtleNames = [
  'digest',
  'encrypt',
  'decrypt',
  'sign',
  'verify',
  'generateKey',
  'deriveBits',
  'deriveKey',
] as const;
const cryptoNames = [
  'randomBytes',
  'randomInt',
  'randomUUID',
  'randomFill',
  'randomFillSync',
  'getRandomValues',
  'generateKey',
  'generateKeyPair',
  'generateKeyPairSync',
] as const;
const zlibNames = [
  'deflate',
  'inflate',
  'deflateRaw',
  'inflateRaw',
  'gzip',
  'gunzip',
  'brotliCompress',
  'brotliDecompress',
] as const;
const fileNames = ['open', 'readFile', 'writeFile', 'readdir', 'stat', 'mkdir', 'rm'] as const;
