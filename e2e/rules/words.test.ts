import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsIn } from './planted.ts';
import type { Rule } from './source.ts';
import { fileNames, noDefaultExports, noLooseEnds, noMachine } from './words.ts';

const catches = (rule: Rule, path: string, text: string, says: RegExp): void =>
  assert.match(findingsIn(rule, path, text).join(), says, `${path}: ${text}`);
const passes = (rule: Rule, path: string, text = ''): void =>
  assert.deepEqual(findingsIn(rule, path, text), [], `${path}: ${text}`);

test('words: file names are kebab-case and say what they hold', () => {
  for (const path of ['core/relayWindow.ts', 'core/Relay.ts', 'core/relay_window.ts', 'docs/HowTo.md']) {
    catches(fileNames, path, '', /kebab-case/);
  }
  for (const path of [
    'core/utils.ts',
    'core/http-helpers.ts',
    'core/common.test.ts',
    'core/source-manager.ts',
    'core/util.ts',
  ]) {
    catches(fileNames, path, '', /says nothing/);
  }
  for (const path of [
    'core/relay-window.ts',
    'core/relay.test.ts',
    'README.md',
    'CHANGELOG.md',
    'docs/decisions/0001-node-26.md',
  ]) {
    passes(fileNames, path);
  }
});

test('words: nothing is exported as default', () => {
  catches(noDefaultExports, 'core/a.ts', 'export default function f() {}', /by its name/);
  catches(noDefaultExports, 'core/a.ts', 'const a = 1; export { a as default };', /by its name/);
  catches(noDefaultExports, 'core/a.ts', "export { default } from './b.ts';", /by its name/);
  passes(noDefaultExports, 'core/a.ts', 'export const a = 1;');
  passes(noDefaultExports, 'rolldown.config.ts', 'export default {};');
});

test('words: marks of work that is left', () => {
  for (const mark of ['TODO', 'FIXME', 'XXX', 'HACK'])
    catches(noLooseEnds, 'core/a.ts', `// ${mark}: later`, /open an issue/);
  catches(noLooseEnds, 'core/a.ts', '// @ts-ignore\nf();', /@ts-expect-error/);
  catches(noLooseEnds, 'core/a.ts', '// oxlint-disable-next-line no-console\nf();', /say why/);
  passes(noLooseEnds, 'core/a.ts', '// oxlint-disable-next-line no-console -- the program prints its answer\nf();');
});

test('words: tests that do not run say why', () => {
  catches(noLooseEnds, 'core/a.test.ts', "test.only('x', () => {});", /would not run/);
  catches(noLooseEnds, 'core/a.test.ts', "test('x', { only: true }, () => {});", /would not run/);
  catches(noLooseEnds, 'core/a.test.ts', "test.skip('x', () => {});", /say why/);
  catches(noLooseEnds, 'core/a.test.ts', "test('x', { skip: true }, () => {});", /say why/);
  catches(noLooseEnds, 'core/a.test.ts', "test('x', (t) => { t.skip(); });", /say why/);
  catches(noLooseEnds, 'core/a.test.ts', "test.todo('x');", /open an issue/);
  passes(noLooseEnds, 'core/a.test.ts', "test('x', { skip: 'needs splice' }, () => {});");
  passes(noLooseEnds, 'core/a.test.ts', "test('x', (t) => { t.skip('no IPv6 here'); });");
});

test('words: no path of one machine, no package registry by name', () => {
  catches(noMachine, 'docs/a.md', `see ${'/'}work/main`, /one machine/);
  catches(noMachine, 'core/a.test.ts', `'${'/'}root/x'`, /one machine/);
  catches(noMachine, 'cli/a.ts', `'${'/'}tmp/x'`, /temporary folder/);
  catches(noMachine, 'package-lock.json', `https://registry.${'npmjs'}.org/x`, /package registry/);
  passes(noMachine, 'cli/a.test.ts', `'${'/'}tmp/x'`);
  passes(noMachine, 'docs/a.md', 'see docs/work/x, ~/work/x and https://example.com/root/x');
});
