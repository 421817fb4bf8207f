import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsIn } from './planted.ts';
import { noAmbientWorld, noModuleState } from './purity.ts';

const ambient: readonly string[] = [
  'const now = Date.now();',
  'const now = new Date();',
  'function f(at: Date) {}',
  'const t = performance.now();',
  'if (process.env.X) f();',
  'setTimeout(f, 1);',
  'setInterval(f, 1);',
  'setImmediate(f);',
  'queueMicrotask(f);',
  'process.nextTick(f);',
  'const x = Math.random();',
  'const id = crypto.randomUUID();',
  'const s = AbortSignal.timeout(5);',
  'const s = AbortSignal.any([a, b]);',
  "await fetch('x');",
  'const w = new WeakRef(x);',
  'const r = new FinalizationRegistry(f);',
  'const n = new Intl.NumberFormat();',
  'const b = Buffer.alloc(1);',
  'function f(b: Buffer) {}',
  "console.log('x');",
  'globalThis.setTimeout(f, 1);',
  'const later = { setTimeout };',
  'names.sort((a, b) => a.localeCompare(b));',
];

for (const source of ambient) {
  for (const path of ['core/a.ts', 'sim/a.ts']) {
    test(`purity: ${path} may not say ${source}`, () =>
      assert.equal(findingsIn(noAmbientWorld, path, source).length > 0, true));
  }
}

const own: readonly string[] = [
  'const { fetch } = peerClient; await fetch(request);',
  'await peerClient.fetch(request);',
  'interface PeerClient { fetch(request: string): void; readonly process: string }',
  'const entry = { Date: 1, process: 2 };',
  'type F = (process: string) => void;',
  'function run(performance: number) { return performance; }',
  'const controller = new AbortController(); f(controller.signal);',
  'const x = Math.max(1, 2);',
  'class Client { fetch() {} }',
];

for (const source of own) {
  test(`purity: core may say ${source}`, () => assert.deepEqual(findingsIn(noAmbientWorld, 'core/a.ts', source), []));
}

test('purity: tests may print, drain and measure, and may not wait for a real clock', () => {
  assert.deepEqual(
    findingsIn(noAmbientWorld, 'core/a.test.ts', 'setImmediate(f); console.log(performance.now());'),
    [],
  );
  assert.equal(findingsIn(noAmbientWorld, 'core/a.test.ts', 'setTimeout(f, 100);').length, 1);
});

test('purity: other folders are free', () => {
  assert.deepEqual(findingsIn(noAmbientWorld, 'transports/a.ts', 'setTimeout(f, Date.now());'), []);
});

const state: readonly string[] = [
  'let count = 0;',
  'export let count = 0;',
  'var count = 0;',
  'const seen = new Map();',
  'const seen = new Map<string, number>();',
  'export const seen: Set<string> = new Set();',
  'const cache = new WeakMap();',
  'const queue = [];',
  'const queue: string[] = [];',
  'class A { static count = 0; }',
  'const seen = Object.freeze(new Set([1]));',
];

for (const source of state) {
  test(`module state: core may not say ${source}`, () =>
    assert.equal(findingsIn(noModuleState, 'core/a.ts', source).length, 1));
}

const constants: readonly string[] = [
  "const methods: ReadonlySet<string> = new Set(['GET', 'HEAD']);",
  "const names = ['a', 'b'] as const;",
  "const names: readonly string[] = ['a', 'b'];",
  "const names = Object.freeze(['a', 'b']);",
  'const limit = 5;',
  'const pattern = /x/;',
  'function f() { let count = 0; const seen = new Map(); return [count, seen]; }',
  'class A { static readonly zero = 0; count = 0; }',
];

for (const source of constants) {
  test(`module state: core may say ${source}`, () =>
    assert.deepEqual(findingsIn(noModuleState, 'core/a.ts', source), []));
}
