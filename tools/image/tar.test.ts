import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { tarOf } from './tar.ts';
import type { Entry } from './tar.ts';

const entries: readonly Entry[] = [
  { type: 'link', path: 'usr/bin/peili', to: '../../opt/peili/peili.mjs' },
  { type: 'directory', path: 'usr' },
  { type: 'directory', path: 'tmp', mode: 0o1777 },
  { type: 'directory', path: 'usr/bin' },
  { type: 'file', path: 'usr/bin/node', mode: 0o755, bytes: Buffer.alloc(600, 'n') },
  { type: 'file', path: 'empty', bytes: Buffer.alloc(0) },
];

test('layer: tar reads what was written, and all of it belongs to root', () => {
  const listed = execFileSync('tar', ['-tv', '--numeric-owner', '--utc', '--full-time'], { input: tarOf(entries, 60) });
  assert.deepEqual(
    listed
      .toString()
      .trim()
      .split('\n')
      .map((line) => line.replaceAll(/ +/g, ' ')),
    [
      '-rw-r--r-- 0/0 0 1970-01-01 00:01:00 empty',
      'drwxrwxrwt 0/0 0 1970-01-01 00:01:00 tmp/',
      'drwxr-xr-x 0/0 0 1970-01-01 00:01:00 usr/',
      'drwxr-xr-x 0/0 0 1970-01-01 00:01:00 usr/bin/',
      '-rwxr-xr-x 0/0 600 1970-01-01 00:01:00 usr/bin/node',
      'lrwxrwxrwx 0/0 0 1970-01-01 00:01:00 usr/bin/peili -> ../../opt/peili/peili.mjs',
    ],
  );
});

test('layer: the order in which files were found changes no byte', () => {
  assert.deepEqual(tarOf([...entries].reverse(), 0), tarOf(entries, 0));
});

test('layer: a path stands in it once', () => {
  assert.throws(() => tarOf([...entries, { type: 'directory', path: 'empty' }], 0), /twice in one layer: empty/);
});
