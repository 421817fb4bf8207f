import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseSync } from 'oxc-parser';
import { mutations } from './catalogue/all.ts';
import type { Patch } from './mutation.ts';
import { patched, patchedWith } from './patch.ts';
import { sourcesRoot } from './thread.ts';

const source = (file: string): string => readFileSync(new URL(file, sourcesRoot), 'utf8');

test('mutations: every anchor fits its source exactly once, and what comes out can be parsed', () => {
  for (const { name, patches } of mutations) {
    for (const file of new Set(patches.map((patch) => patch.file))) {
      const text = patchedWith(
        source(file),
        patches.filter((patch) => patch.file === file),
      );
      const { errors } = parseSync(file, text);
      assert.deepEqual(errors, [], `${name} in ${file}`);
      assert.notEqual(text, source(file), `${name} changes nothing in ${file}`);
    }
  }
});

test('mutations: each has a name of its own', () => {
  const names = mutations.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
});

const patch: Patch = { file: 'a.ts', anchor: 'x', replacement: 'y' };

test('patch: an anchor that is not there, or fits twice, is an error of the catalogue', () => {
  assert.equal(patched('a x b', patch), 'a y b');
  assert.throws(() => patched('a b', patch), /not there any more/);
  assert.throws(() => patched('x x', patch), /fits twice/);
});
