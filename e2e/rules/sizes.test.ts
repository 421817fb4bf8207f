import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsIn } from './planted.ts';
import { hardBounds, sizes, softBounds } from './sizes.ts';

const lines = (count: number): string => '  step();\n'.repeat(count);
const ofLines = (count: number): string => `export const x = 1;\n${'// why\n'.repeat(count - 1)}`;

test('sizes: a file of 500 lines passes, one more does not', () => {
  assert.deepEqual(findingsIn(sizes(hardBounds), 'core/a.ts', ofLines(500)), []);
  assert.match(findingsIn(sizes(hardBounds), 'core/a.ts', ofLines(501)).join(), /501 lines, more than 500/);
});

test('sizes: a function of 100 lines passes, one more does not', () => {
  assert.deepEqual(findingsIn(sizes(hardBounds), 'core/a.ts', `function f() {\n${lines(98)}}\n`), []);
  assert.match(
    findingsIn(sizes(hardBounds), 'core/a.ts', `function f() {\n${lines(99)}}\n`).join(),
    /function f has 101 lines/,
  );
});

test('sizes: arrows and methods are functions too', () => {
  assert.match(
    findingsIn(sizes(hardBounds), 'core/a.ts', `const g = () => {\n${lines(120)}};\n`).join(),
    /function g has 122/,
  );
  assert.match(
    findingsIn(sizes(hardBounds), 'core/a.ts', `class A {\n m() {\n${lines(120)}}\n}\n`).join(),
    /method m has 122/,
  );
});

test('sizes: the soft bounds see more', () => {
  assert.deepEqual(findingsIn(sizes(hardBounds), 'core/a.ts', `function f() {\n${lines(80)}}\n`), []);
  assert.match(findingsIn(sizes(softBounds), 'core/a.ts', `function f() {\n${lines(80)}}\n`).join(), /more than 70/);
});

test('sizes: a suite may list many tests, and each test is measured', () => {
  const tests = `  test('x', () => {\n${lines(40)}  });\n`.repeat(4);
  const suite = `export function suite({ test }) {\n${tests}}\n`;
  assert.deepEqual(findingsIn(sizes(hardBounds), 'core/conformance/clock.ts', suite), []);
  assert.match(findingsIn(sizes(hardBounds), 'core/relay/relay.ts', suite).join(), /function suite has/);
  const long = `export function suite({ test }) {\n  test('x', () => {\n${lines(140)}  });\n}\n`;
  assert.match(findingsIn(sizes(hardBounds), 'core/conformance/clock.ts', long).join(), /a function has 142 lines/);
});
