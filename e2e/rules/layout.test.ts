import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folders } from './layout.ts';
import { findingsOver } from './planted.ts';

test('layout: a folder of code has its door and its README', () => {
  assert.deepEqual(findingsOver(folders, { 'core/relay.ts': '', 'cli/demo.ts': '' }), [
    'core:1 core/ has no index.ts',
    'core:1 core/ has no README.md',
    'cli:1 cli/ has no main.ts',
    'cli:1 cli/ has no README.md',
  ]);
});

test('layout: a README is one screen', () => {
  const readme = (lines: number): Record<string, string> => ({
    'core/index.ts': '',
    'core/README.md': 'x\n'.repeat(lines),
  });
  assert.deepEqual(findingsOver(folders, readme(40)), []);
  assert.equal(findingsOver(folders, readme(41)).length, 1);
});

test('layout: folders that do not exist yet are not missed', () => {
  assert.deepEqual(findingsOver(folders, { 'docs/reference/flags.md': '' }), []);
});
