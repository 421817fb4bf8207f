import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { Body, Chunk } from '../ports/index.ts';
import { readBody } from './body-laws.ts';
import { poisonBodies, poisonBody } from './poison.ts';

const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6]);

function twoChunks(): Body {
  const chunks: Chunk[] = [bytes.subarray(0, 3), bytes.subarray(3, 6)];
  return {
    next: async () => {
      const value = chunks.shift();
      return value === undefined ? { done: true, value } : { done: false, value };
    },
    return: async () => ({ done: true, value: undefined }),
  };
}

test('poison: who reads chunks while they are lent has the right bytes, and the source keeps its own', async () => {
  assert.deepEqual(await readBody(poisonBody(twoChunks())), bytes);
  assert.deepEqual([...bytes], [1, 2, 3, 4, 5, 6]);
});

test('poison: who keeps a chunk beyond the next next() or return() has wrong bytes', async () => {
  const body = poisonBody(twoChunks());
  const first = (await body.next()).value;
  const part = first?.subarray(0, 2);
  const second = (await body.next()).value;
  assert.deepEqual(part, Uint8Array.from([0xdb, 0xdb]));
  await body.return();
  assert.deepEqual(second, Uint8Array.from([0xdb, 0xdb, 0xdb]));
});

test('poison: a port keeps everything else', async () => {
  const client = { fetch: async () => ({ status: 200, headers: { a: 'b' }, body: twoChunks() }), pending: () => 4 };
  const poisoned = poisonBodies(client);
  const member = {
    id: '',
    position: bytes,
    addresses: [],
    registryPort: 1,
    kind: 'peili' as const,
    zone: '',
    incarnation: 1,
    connected: true,
  };
  const request = { method: 'GET' as const, target: '/', headers: {} };
  const signal = new AbortController().signal;
  const fetch: typeof poisoned.fetch & ((...call: unknown[]) => Promise<{ status: number; body: Body }>) =
    poisoned.fetch;
  const answer = await fetch(member, request, signal);
  assert.equal(answer.status, 200);
  assert.equal(poisoned.pending(), 4);
  const kept = (await answer.body.next()).value;
  await answer.body.return();
  assert.deepEqual(kept, Uint8Array.from([0xdb, 0xdb, 0xdb]));
});
