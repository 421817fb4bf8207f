import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAtRest, assertPart } from '../testing/assertions.ts';
import { testBlob } from '../testing/blob.ts';
import { scriptedMember } from '../testing/scripted-peers.ts';
import { blobTarget, createTestNode } from '../testing/test-node.ts';
import type { HolderScript, TestNode, TestNodeOptions } from '../testing/test-node.ts';

/** L3, L11: who is asked first, and who is left for another. */

const blob = testBlob(200);
const second = 1_000_000;
const near = { member: { zone: 'near' } };

function nodeWith(holders: Record<string, HolderScript>, options: TestNodeOptions = {}): TestNode {
  const node = createTestNode({ zone: 'near', ...options });
  node.peers.add(blob);
  node.holders(holders);
  return node;
}

test('demotion: a node that does not answer costs one time-out in 30 s, not one per blob', async () => {
  const node = nodeWith({ a: { silent: true, ...near }, b: {} }, { blobVerification: 'off' });
  const times: number[] = [];
  for (let pull = 0; pull < 3; pull += 1) times.push((await node.get(blob)).headUs);
  assert.deepEqual(times, [151_000, 1_000, 1_000]);
});

for (const status of [503, 500])
  test(`demotion: who answers ${status} goes last for a second`, async () => {
    const node = nodeWith({ a: near, b: {} }, { blobVerification: 'off' });
    node.peers.script('a', (_request, index) => (index === 0 ? { status } : {}));
    await node.get(blob);
    const before = node.peers.requests.length;
    await node.get(blob);
    assert.deepEqual(new Set(node.peers.requests.slice(before).map(({ member }) => member)), new Set(['b']));
    await node.clock.advance(second);
    const later = node.peers.requests.length;
    await node.get(blob);
    assert.equal(node.peers.requests[later]?.member, 'a');
  });

test('rate: a slow reader is not a slow source, and never a stalled one', async () => {
  const node = nodeWith({ a: near, b: {} }, { limits: { minimumRateBytesPerSecond: 1e9 } });
  const outcome = await node.get(blob, { chunkUs: 30 * second });
  assertPart(outcome, blob, 0, 200, false);
  assert.deepEqual(new Set(node.peers.requests.map(({ member }) => member)), new Set(['a']));
  assert.deepEqual(
    node.pulls.filter(({ type }) => type === 'stall' || type === 'switch'),
    [],
  );
  assertAtRest(node);
});

const trickle = { chunkBytes: 1, chunkUs: 1_900_000 };

test('rate: a trickling source is left for another one, and not taken again for the next window', async () => {
  const node = nodeWith({ a: { ...trickle, ...near }, b: { chunkUs: 100 } });
  const outcome = await node.get(blob);
  assertPart(outcome, blob, 0, 200, false);
  assert.ok(outcome.tookUs <= 12 * second + second, `${outcome.tookUs}`);
  const members = node.peers.requests.map(({ member }) => member);
  assert.equal(members.lastIndexOf('a'), 0);
  assert.deepEqual(
    node.pulls.flatMap((event) => (event.type === 'switch' ? [event.reason] : [])),
    ['PEER_SLOW'],
  );
  assertAtRest(node);
});

const crawlRateBytesPerSecond = 0.1;

test('rate: a slow source is kept while it is the only one', async () => {
  const small = testBlob(20);
  const node = nodeWith({ a: trickle }, { limits: { crawlRateBytesPerSecond } });
  node.peers.add(small);
  const outcome = await node.get(small);
  assertPart(outcome, small, 0, 20, false);
  assert.equal(node.peers.requests.length, 1);
  assertAtRest(node);
});

test('rate: the only source crawls, and the client is let go upstream, once: who comes again is given what there is', async () => {
  const small = testBlob(20);
  const node = nodeWith({ a: trickle }, { blobVerification: 'off' });
  node.peers.add(small);
  const cut = await node.get(small);
  assert.deepEqual([cut.end, cut.bytes.length], ['SOURCES_EXHAUSTED', 6]);
  assert.ok(cut.tookUs <= 12 * second, `${cut.tookUs}`);
  const resumed = await node.get(small, { range: 'bytes=6-' });
  assert.deepEqual([resumed.status, resumed.tookUs < second], [404, true]);
  assertAtRest(node);
  // The upstream had nothing: a minute later somebody asks again.
  await node.clock.advance(60 * second);
  assertPart(await node.get(small), small, 0, 20, false);
  assertAtRest(node);
});

test('rate: two sources that crawl are not left for each other for ever', async () => {
  const node = nodeWith({ a: { ...trickle, ...near }, b: trickle }, { blobVerification: 'off' });
  const cut = await node.get(blob);
  assert.equal(cut.end, 'SOURCES_EXHAUSTED');
  assert.ok(cut.tookUs <= 24 * second, `${cut.tookUs}`);
  assert.deepEqual(
    node.peers.requests.map(({ member }) => member),
    ['a', 'b'],
  );
  assertAtRest(node);
});

test('order: the best of one answer is asked, wherever it is listed', async () => {
  const far = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`far${index}`, {}]));
  const node = nodeWith({ ...far, near: near });
  await node.get(blob);
  assert.deepEqual(new Set(node.peers.requests.map(({ member }) => member)), new Set(['near']));
});

test('order: equals share the load', async () => {
  const asked = new Set<string | undefined>();
  for (let seed = 1; seed < 20; seed += 1) {
    const node = nodeWith({ a: {}, b: {}, c: {} }, { seed });
    await node.get(blob);
    asked.add(node.peers.requests[0]?.member);
  }
  assert.deepEqual(asked, new Set(['a', 'b', 'c']));
});

test('choice: a holder found later takes the place of one that failed, however many there were', async () => {
  const large = testBlob(2_000);
  const node = createTestNode({ limits: { windowBytes: 5_000 } });
  node.peers.add(large);
  const failing = Array.from({ length: node.limits.sourcesMax }, (_, index) => `s${index}`);
  const holders = (ids: readonly string[]) => ids.map((id) => ({ member: scriptedMember(id) }));
  // Each gives a hundred bytes, and breaks.
  for (const id of failing)
    node.peers.script(id, ({ range }) => {
      const from = Number(/=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
      return { cutAt: from + 100, chunkBytes: 10, chunkUs: 20_000 };
    });
  node.lookup.set(holders(failing));
  const pull = node.request(blobTarget(large));
  await node.clock.advance(200_000);
  node.peers.script('well', {});
  node.lookup.set(holders([...failing, 'well']));
  assertPart(await node.clock.settle(pull), large, 0, 2_000, false);
  assertAtRest(node);
});
