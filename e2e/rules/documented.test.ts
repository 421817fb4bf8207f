import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  errorsDocumented,
  flagsDocumented,
  flagsUnderTheirCommand,
  limitsDocumented,
  metricsDocumented,
  propertyOf,
} from './documented.ts';
import { findingsOver } from './planted.ts';

const page = (...names: string[]): string =>
  `| name | meaning |\n| --- | --- |\n${names.map((name) => `| \`${name}\` | x |\n`).join('')}`;

test('flags: each is described, and what is described exists', () => {
  const found = findingsOver(flagsDocumented, {
    'cli/up.ts':
      "command.option('-n, --nodes <count>', 'x').addOption(new Option('--no-color')); f(options.nodes, options.color);",
    'docs/reference/flags.md': page('--nodes <count>', '--gone'),
  });
  assert.deepEqual(found, [
    'cli/up.ts:1 --no-color is not described in docs/reference/flags.md',
    'docs/reference/flags.md:4 --gone does not exist',
  ]);
});

test('flags: each is read', () => {
  const files = { 'cli/up.ts': "new Option('--max-age <seconds>');", 'docs/reference/flags.md': page('--max-age') };
  assert.deepEqual(findingsOver(flagsDocumented, files), ['cli/up.ts:1 nothing reads --max-age (as maxAge)']);
  const table = { ...files, 'cli/up.ts': "const flags = { maxAge: { flags: '--max-age <seconds>' } };" };
  assert.deepEqual(findingsOver(flagsDocumented, table), ['cli/up.ts:1 nothing reads --max-age (as maxAge)']);
  assert.equal(propertyOf('--no-blob-cache'), 'blobCache');
});

test("flags: a table of Spegel's names describes nothing of ours", () => {
  const pages = `${page('--nodes')}\n## Spegel's names\n${page('--mirror-resolve-retries')}`;
  const files = { 'cli/up.ts': "command.option('--nodes <n>'); f(options.nodes);", 'docs/reference/flags.md': pages };
  assert.deepEqual(findingsOver(flagsDocumented, files), []);
});

test('flags: each stands under the command that has it', () => {
  const table = (command: string, ...names: string[]): string =>
    `export const ${command}Flags = {\n${names.map((name) => `${name}: row,\n`).join('')}};\n`;
  const found = findingsOver(flagsUnderTheirCommand, {
    'cli/flags.ts': `${table('up', 'nodes', 'logLevel')}${table('cleanUp', 'logLevel')}`,
    'docs/reference/flags.md': `## peili up\n${page('--nodes <n>')}\n## peili clean-up\n${page('--log-level', '--nodes', '--json')}`,
  });
  assert.deepEqual(found, [
    'cli/flags.ts:3 --log-level is not described in docs/reference/flags.md',
    'docs/reference/flags.md:10 --nodes does not exist',
  ]);
});

const errors =
  "export const errorTable = { A_ONE: row('x'), B_TWO: row('y') } as const satisfies Record<string, unknown>;";

test('errors: each is described and raised', () => {
  const found = findingsOver(errorsDocumented, {
    'core/errors.ts': errors,
    'core/a.ts': "throw new PeiliError('A_ONE', 'x');",
    'core/b.test.ts': "throw new PeiliError('B_TWO', 'x');",
    'docs/reference/errors.md': page('A_ONE', 'GONE_CODE'),
  });
  assert.deepEqual(found, [
    'core/errors.ts:1 B_TWO is not described in docs/reference/errors.md',
    'docs/reference/errors.md:4 GONE_CODE does not exist',
    'core/errors.ts:1 nothing raises B_TWO',
  ]);
});

test('errors: without the page every one of them is missed', () => {
  const found = findingsOver(errorsDocumented, { 'core/errors.ts': errors, 'core/a.ts': "f('A_ONE', 'B_TWO');" });
  assert.deepEqual(found, ['docs/reference/errors.md:1 the page is missing: it describes 2 names']);
});

test('limits: each has a reason, is described and bounds something', () => {
  const found = findingsOver(limitsDocumented, {
    'core/limits.ts':
      'export const defaultLimits: Limits = Object.freeze({\n  /** Why. */\n  dialTimeoutUs: 1,\n  windowBytes: 2,\n});',
    'core/a.ts': 'f(limits.dialTimeoutUs);',
    'docs/reference/limits.md': page('dialTimeoutUs'),
  });
  assert.deepEqual(found, [
    'core/limits.ts:4 windowBytes is not described in docs/reference/limits.md',
    'core/limits.ts:4 windowBytes has no reason: /** why so much */',
    'core/limits.ts:4 nothing is bounded by windowBytes',
  ]);
});

test('metrics: each is described', () => {
  const found = findingsOver(metricsDocumented, {
    'transports/metrics.ts':
      "new Counter({ name: 'spegel_mirror_requests_total', help: 'x' });\nconst name = 'peili_hedges_total';",
    'docs/reference/metrics.md': page('peili_gone_total'),
  });
  assert.deepEqual(found, [
    'transports/metrics.ts:1 spegel_mirror_requests_total is not described in docs/reference/metrics.md',
    'transports/metrics.ts:2 peili_hedges_total is not described in docs/reference/metrics.md',
    'docs/reference/metrics.md:3 peili_gone_total does not exist',
  ]);
});
