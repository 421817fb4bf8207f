import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSha256Digester } from '../testing/sha256-digester.ts';
import { createCanary } from './canary.ts';

test('canary: the nonces asked for last are remembered, and no more than may be', () => {
  const canary = createCanary(createSha256Digester(), { canariesRememberedMax: 2 });
  assert.deepEqual([canary.noteAsked('a'), canary.noteAsked('a'), canary.noteAsked('b')], [0, 1, 0]);
  canary.noteAsked('a');
  canary.noteAsked('c');
  assert.deepEqual(['a', 'b', 'c'].map(canary.askedFor), [3, 0, 1]);
});

test('canary: its own is not forgotten, however many others are asked for', () => {
  const canary = createCanary(createSha256Digester(), { canariesRememberedMax: 2 });
  const { nonce } = canary.image('amd64', 'n0nce0001');
  assert.deepEqual([canary.askedFor(nonce), canary.noteAsked(nonce), canary.noteAsked(nonce)], [0, 0, 1]);
  for (const other of ['a', 'b', 'c']) canary.noteAsked(other);
  assert.equal(canary.askedFor(nonce), 2);
});
