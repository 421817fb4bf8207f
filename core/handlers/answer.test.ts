import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullEvent } from '../ports/index.ts';
import { assertAtRest } from '../testing/assertions.ts';
import { testBlob } from '../testing/blob.ts';
import { blobTarget, createTestNode } from '../testing/test-node.ts';
import type { ClientHabits, TestNode } from '../testing/test-node.ts';

/** L17: each pull is told once, from its beginning to its end, with the right reason. */

const blob = testBlob(200);
const ends = (node: TestNode) =>
  node.pulls.flatMap((event) => (event.type === 'end' ? [[event.reason, event.status, event.bytes]] : []));
const ofType = <T extends PullEvent['type']>(node: TestNode, type: T) =>
  node.pulls.filter((event): event is Extract<PullEvent, { type: T }> => event.type === type);

function holding(): TestNode {
  const node = createTestNode({ zone: 'near' });
  node.peers.add(blob);
  node.holders({ a: { cutAt: 100, member: { zone: 'near' } }, b: {} });
  return node;
}

test('events: every pull begins once and ends once, with its reason, status and bytes', async () => {
  const rows: readonly (readonly [ClientHabits, unknown[]])[] = [
    [{}, ['complete', 200, 200]],
    [{ method: 'HEAD' }, ['complete', 200, 0]],
    [{ range: 'bytes=10-19' }, ['complete', 206, 10]],
    [{ range: 'bytes=900-' }, ['rejected', 416, 0]],
    [{ hangUpAfterBytes: 16 }, ['hangup', 200, 16]],
    [{ mirrored: true }, ['not-found', 404, 0]],
  ];
  for (const [habits, expected] of rows) {
    const node = holding();
    await node.get(blob, habits);
    assert.deepEqual(ends(node), [expected]);
    assert.equal(ofType(node, 'start').length, 1);
    assert.equal(node.pulls[0]?.type, 'start');
    assert.equal(node.pulls.at(-1)?.type, 'end');
    assertAtRest(node);
  }
});

test('events: a switch tells from whom, to whom, at which byte and why; the runs of bytes fit', async () => {
  const node = holding();
  await node.get(blob);
  const [change] = ofType(node, 'switch');
  assert.deepEqual([change?.from, change?.to, change?.at, change?.reason], ['a', 'b', 100, 'PEER_CLOSED']);
  assert.deepEqual(
    ofType(node, 'bytes').map(({ from, source, to }) => [source, from, to]),
    [
      ['a', 0, 100],
      ['b', 100, 200],
    ],
  );
});

test('events: a stall tells where and for how long', async () => {
  const node = holding();
  node.peers.script('a', { stallAt: 70 });
  await node.get(blob);
  const [stall] = ofType(node, 'stall');
  assert.deepEqual([stall?.source, stall?.at, stall?.waitedUs], ['a', 70, 2_000_000]);
});

test('answer: what cannot be understood is a typed error, and no pull', async () => {
  const node = holding();
  const rows: readonly (readonly [string, number])[] = [
    ['/v2/UPPER/blobs/sha256:00', 400],
    [`/v2/library/app/blobs/sha256:00`, 400],
    ['/v2/library/app/manifests/v1', 400],
    ['/else', 404],
    ['/v2/', 200],
  ];
  for (const [target, status] of rows)
    assert.equal((await node.clock.settle(node.request(target))).status, status, target);
  assert.deepEqual(node.pulls, []);
  const { status, headers } = await node.answer(
    { method: 'PUT', target: blobTarget(blob), headers: {} },
    new AbortController().signal,
  );
  assert.deepEqual([status, headers['allow']], [405, 'GET, HEAD']);
});

test('answer: a client is told the number of its pull, under which its story is found; a mirror is not', async () => {
  const node = holding();
  for (const habits of [{}, { method: 'HEAD' }, { range: 'bytes=900-' }] as const) {
    const { headers } = await node.get(blob, habits);
    assert.equal(headers['peili-pull-id'], String(node.pulls.at(-1)?.pullId));
  }
  assert.equal((await node.get(blob, { mirrored: true })).headers['peili-pull-id'], undefined);
  assert.equal(
    (await node.clock.settle(node.request('/v2/'))).headers['peili-pull-id'],
    undefined,
    'a ping is no pull',
  );
});
