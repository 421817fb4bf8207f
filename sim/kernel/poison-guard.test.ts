import assert from 'node:assert/strict';
import nodeCrypto, { randomBytes } from 'node:crypto';
import files from 'node:fs/promises';
import process from 'node:process';
import { test } from 'node:test';
import timers, { setTimeout as importedSetTimeout } from 'node:timers';
import timersPromises from 'node:timers/promises';
import zlib from 'node:zlib';
import type { DrainStrategy } from './drain.ts';
import { Kernel } from './kernel.ts';
import { installPoisonGuard } from './poison-guard.ts';

/** By name, so that this file uses none of it, and the rule that keeps tests from real time sees it. */
function globalOf(name: string): NewableFunction {
  const found: unknown = Reflect.get(globalThis, name);
  assert.ok(typeof found === 'function', `${name} exists`);
  return found;
}

function use(holder: object, name: string, ...values: readonly unknown[]): unknown {
  const found: unknown = Reflect.get(holder, name);
  assert.ok(typeof found === 'function', `${name} exists`);
  return Reflect.apply(found, holder, values);
}

function make(name: string, ...values: readonly unknown[]): unknown {
  return Reflect.construct(globalOf(name), values);
}

const realDate = globalOf('Date');

const poison: ReadonlyMap<string, () => unknown> = new Map<string, () => unknown>([
  ['Date.now', () => use(globalOf('Date'), 'now')],
  ['new Date', () => make('Date')],
  ['Date', () => use(globalThis, 'Date')],
  ['performance.now', () => use(performance, 'now')],
  ['process.hrtime', () => use(process, 'hrtime')],
  ['process.hrtime.bigint', () => use(process.hrtime, 'bigint')],
  ['process.uptime', () => use(process, 'uptime')],
  ['setTimeout', () => use(globalThis, 'setTimeout', () => undefined, 1)],
  ['setInterval', () => use(globalThis, 'setInterval', () => undefined, 1)],
  ['setImmediate', () => use(globalThis, 'setImmediate', () => undefined)],
  ['timers.setTimeout', () => use(timers, 'setTimeout', () => undefined, 1)],
  ['timers.setTimeout', () => importedSetTimeout(() => undefined, 1)],
  ['timers/promises.setTimeout', () => use(timersPromises, 'setTimeout', 1)],
  ['scheduler.wait', () => use(timersPromises.scheduler, 'wait', 1)],
  ['Math.random', () => use(Math, 'random')],
  ['crypto.randomUUID', () => crypto.randomUUID()],
  ['crypto.getRandomValues', () => crypto.getRandomValues(new Uint8Array(1))],
  ['crypto.subtle.digest', () => crypto.subtle.digest('SHA-256', new Uint8Array(1))],
  ['crypto.randomBytes', () => nodeCrypto.randomBytes(1)],
  ['crypto.randomBytes', () => randomBytes(1)],
  ['crypto.randomInt', () => nodeCrypto.randomInt(5)],
  ['AbortSignal.timeout', () => AbortSignal.timeout(1)],
  ['AbortSignal.any', () => AbortSignal.any([])],
  ['fetch', () => fetch('http://127.0.0.1:1/')],
  ['new WeakRef', () => new WeakRef({})],
  ['new FinalizationRegistry', () => new FinalizationRegistry(() => undefined)],
  ['new Intl.DateTimeFormat', () => new Intl.DateTimeFormat()],
  ['zlib.deflate', () => zlib.deflate(new Uint8Array(1), () => undefined)],
  ['fs.promises.readFile', () => files.readFile('/dev/null')],
]);

const drains: readonly DrainStrategy[] = ['immediate', 'tick'];

for (const drain of drains) {
  for (const [label, misuse] of poison) {
    test(`guard: ${drain}: ${label} fails the run with its stack, though the program caught it`, async () => {
      const guard = installPoisonGuard();
      const kernel = new Kernel({ drain, guard });
      kernel.schedule(1, () => {
        void Promise.resolve().then(function guilty() {
          try {
            misuse();
          } catch {
            // As a program does that means to go on.
          }
        });
      });
      kernel.schedule(2, () => {
        assert.fail('the run has ended');
      });
      await assert.rejects(kernel.run({ untilUs: 10 }), (cause) => {
        assert.ok(cause instanceof Error);
        assert.ok(cause.message.startsWith(`${label} was used while a simulation ran`), cause.message);
        assert.match(cause.stack ?? '', /guilty/);
        return true;
      });
      guard.dispose();
    });
  }

  test(`guard: ${drain}: what is no poison goes through, and so does all else of this process between two events`, async () => {
    const guard = installPoisonGuard();
    const kernel = new Kernel({ drain, guard });
    const outside: number[] = [];
    const state = { isOver: false };
    const look = (): void => {
      outside.push(Number(use(realDate, 'now')));
      if (!state.isOver) use(globalThis, 'setImmediate', look);
    };
    use(globalThis, 'setImmediate', look);
    const inside: unknown[] = [];
    const again = (): void => {
      inside.push((make('Date', 5) as { getTime(): number }).getTime(), Math.max(1, 2));
      queueMicrotask(() => {
        process.nextTick(() => inside.push('tick'));
      });
      if (kernel.executed < 9_000) kernel.schedule(1, again);
    };
    kernel.schedule(1, again);
    await kernel.run({ untilUs: 100_000 });
    state.isOver = true;
    guard.dispose();
    assert.equal(inside.length, 3 * 9_000);
    assert.ok(outside.length > 2, `${outside.length} looks from outside`);
  });
}

test('guard: everything is as it was once the last of several is gone', () => {
  const places: readonly (readonly [object, string])[] = [
    [globalThis, 'Date'],
    [globalThis, 'setTimeout'],
    [globalThis, 'fetch'],
    [realDate, 'now'],
    [Math, 'random'],
    [process, 'hrtime'],
    [Object.getPrototypeOf(performance) as object, 'now'],
    [nodeCrypto, 'randomBytes'],
  ];
  const look = (): unknown[] => places.map(([holder, name]) => Object.getOwnPropertyDescriptor(holder, name));
  const before = look();
  const imported = randomBytes;
  const first = installPoisonGuard();
  const second = installPoisonGuard();
  assert.notDeepEqual(look(), before);
  first.dispose();
  first.dispose();
  assert.notDeepEqual(look(), before);
  second.dispose();
  assert.deepEqual(look(), before);
  assert.equal(randomBytes, imported);
  assert.ok(make('Date') instanceof realDate);
});
