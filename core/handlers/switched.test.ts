import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canaryRegistry, createCanaryImage } from '../canary/canary-image.ts';
import type { MirrorMode } from '../ports/index.ts';
import { assertAtRest } from '../testing/assertions.ts';
import { testBlob } from '../testing/blob.ts';
import { createSha256Digester } from '../testing/sha256-digester.ts';
import { createTestNode } from '../testing/test-node.ts';
import type { ClientHabits, Outcome, TestNode } from '../testing/test-node.ts';

const blob = testBlob(40_000);
const target = `/v2/team/app/blobs/${blob.digest}?ns=docker.io`;
const mirror: ClientHabits = { mirrored: true };

/** A node that has the blob, and whose peer has it too. */
function nodeIn(mode: { now: MirrorMode }, ownContent: boolean): TestNode {
  const node = createTestNode({ mode: () => mode.now });
  if (ownContent) node.store.add(blob);
  node.peers.add(blob);
  node.holders({ peer: {} });
  return node;
}

const ask = (node: TestNode, habits?: ClientHabits, path = target): Promise<Outcome> =>
  node.clock.settle(node.request(path, habits));

const statuses = async (mode: MirrorMode, ownContent = true): Promise<readonly number[]> => {
  const node = nodeIn({ now: mode }, ownContent);
  const seen = [(await ask(node)).status, (await ask(node, mirror)).status];
  assertAtRest(node);
  if (mode !== 'on') assert.deepEqual(node.peers.requests, [], 'no peer is asked');
  return seen;
};

test('switch: on serves clients and mirrors, serve-only mirrors, off nobody', async () => {
  assert.deepEqual(await statuses('on'), [200, 200]);
  assert.deepEqual(await statuses('serve-only'), [404, 200]);
  assert.deepEqual(await statuses('off'), [404, 404]);
});

test('switch: what only peers have is not looked for either', async () => {
  assert.deepEqual(await statuses('on', false), [200, 404]);
  assert.deepEqual(await statuses('serve-only', false), [404, 404]);
});

test('switch: the client is told why, and the story ends as switched off', async () => {
  const node = nodeIn({ now: 'off' }, true);
  const { bytes, status } = await ask(node);
  assert.equal(status, 404);
  assert.equal(JSON.parse(new TextDecoder().decode(bytes)).errors[0].detail.reason, 'SWITCHED_OFF');
  const end = node.pulls.find(({ type }) => type === 'end');
  assert.ok(end?.type === 'end');
  assert.equal(end.reason, 'switched-off');
});

test('switch: it takes effect for the next request, and a body in flight goes on to its end', async () => {
  const mode: { now: MirrorMode } = { now: 'on' };
  const node = nodeIn(mode, false);
  const inFlight = node.request(target);
  await node.clock.advance(1_000);
  mode.now = 'off';
  const [first, second] = await node.clock.settle(Promise.all([inFlight, node.request(target)]));
  assert.deepEqual([first.status, first.end, first.bytes], [200, 'clean', blob.bytes]);
  assert.equal(second.status, 404);
});

test('switch: the canary goes on: whether containerd asks this mirror is no question of the mode', async () => {
  const image = createCanaryImage(createSha256Digester(), 'arm64', 'n0nce0001');
  const node = nodeIn({ now: 'off' }, false);
  const path = `/v2/${image.repository}/manifests/${image.manifest.digest}?ns=${canaryRegistry}`;
  assert.equal((await ask(node, {}, path)).status, 200);
});
