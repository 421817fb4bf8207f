import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../limits.ts';
import { assertAtRest, assertPart } from '../testing/assertions.ts';
import { manifestOf, testBlob } from '../testing/blob.ts';
import type { PeerScript } from '../testing/scripted-peers.ts';
import { scriptedMember } from '../testing/scripted-peers.ts';
import { createTestNode } from '../testing/test-node.ts';
import type { HolderScript, TestNode, TestNodeOptions } from '../testing/test-node.ts';

/** L3, L4, L11: what a failing source costs, and what is asked of whom. */

const blob = testBlob(200);
const second = 1_000_000;
const lookupUs = 2_000;
const headUs = 1_000;
const near = { member: { zone: 'near' } };

/** `near` ones are asked before the others. */
function nodeWith(holders: Record<string, HolderScript>, options: TestNodeOptions = {}): TestNode {
  const node = createTestNode({ zone: 'near', ...options });
  node.peers.add(blob);
  node.holders(holders);
  return node;
}

const asked = (node: TestNode): string[] => node.peers.requests.map(({ member, range }) => `${member} ${range ?? ''}`);

test('blob: nobody has it is 404 as soon as the lookup says so, and is not remembered', async () => {
  const node = nodeWith({});
  const miss = await node.get(blob);
  assert.deepEqual([miss.status, miss.tookUs], [404, lookupUs]);
  assert.match(new TextDecoder().decode(miss.bytes), /BLOB_UNKNOWN/);
  assertAtRest(node);
  node.holders({ a: {} });
  assert.equal((await node.get(blob)).status, 200);
});

test('blob: sources are asked while the lookup still gathers', async () => {
  const node = nodeWith({ a: {} });
  node.lookup.set([{ member: scriptedMember('a') }], 100_000);
  const outcome = await node.get(blob);
  assertPart(outcome, blob, 0, 200, false);
  assert.equal(outcome.headUs, headUs);
  assertAtRest(node);
});

test('blob: a holder that becomes known late is waited for while the lookup goes on', async () => {
  const node = nodeWith({ a: { status: 404 }, b: {} });
  node.lookup.set([{ member: scriptedMember('a') }, { member: scriptedMember('b'), afterUs: 90_000 }], 100_000);
  const outcome = await node.get(blob);
  assertPart(outcome, blob, 0, 200, false);
  assert.equal(outcome.headUs, 90_000 + headUs);
});

/** What stands in for a good answer, and what it costs before the next source is asked. */
const refusals: readonly (readonly [string, PeerScript, number])[] = [
  ['a refused connection', { refuse: true }, 0],
  ['404', { status: 404 }, headUs],
  ['503', { status: 503 }, headUs],
  ['500', { status: 500 }, headUs],
  ['another digest', { digest: testBlob(200, 9).digest }, headUs],
  ['a shifted Content-Range', { rangeShift: 1 }, headUs],
  ['an empty claim', { sizeBytes: 0 }, headUs],
  ['an unplugged node', { dialTimeout: true }, defaultLimits.hedgeDelayUs],
  ['a silent one', { silent: true }, defaultLimits.hedgeDelayUs],
];
for (const [what, script, costUs] of refusals) {
  test(`blob: ${what} costs exactly ${String(costUs)} us, then another source is asked`, async () => {
    for (const range of [undefined, 'bytes=70-']) {
      const node = nodeWith({ a: { ...script, ...near }, b: {} });
      const outcome = await node.get(blob, range === undefined ? {} : { range });
      assertPart(outcome, blob, range === undefined ? 0 : 70, 200, range !== undefined, what);
      assert.equal(outcome.headUs, costUs + headUs);
      assertAtRest(node, what);
    }
  });

  test(`blob: ${what} and nobody else is 404 within the head's time-out`, async () => {
    const node = nodeWith({ a: script });
    const outcome = await node.get(blob);
    assert.equal(outcome.status, 404);
    assert.ok(outcome.tookUs <= Math.max(lookupUs, defaultLimits.blobHeadTimeoutUs), `${outcome.tookUs}`);
    assertAtRest(node, what);
  });
}

test('blob: what a later window is refused for is 200, another size, range or digest (M6, M21)', async () => {
  const liars: PeerScript[] = [
    { ignoreRange: true },
    { sizeBytes: 180 },
    { sizeBytes: 300 },
    { rangeShift: -1 },
    { digest: testBlob(9).digest },
    { status: 416 },
  ];
  for (const liar of liars) {
    const node = nodeWith({ a: near, b: {} });
    node.peers.script('a', (_request, index) => (index === 0 ? {} : liar));
    const outcome = await node.get(blob);
    assertPart(outcome, blob, 0, 200, false, JSON.stringify(liar));
    assertAtRest(node, JSON.stringify(liar));
  }
});

test('blob: a source that ignores ranges gives the whole from the start, and its first bytes alone where only those were asked for', async () => {
  const node = nodeWith({ a: { ignoreRange: true } }, { blobVerification: 'off' });
  assertPart(await node.get(blob), blob, 0, 200, false);
  assertPart(await node.get(blob, { range: 'bytes=0-99' }), blob, 0, 100, true);
  assert.equal((await node.get(blob, { range: 'bytes=10-' })).status, 404);
  assertAtRest(node);
});

test('blob: of a source that failed no byte from there on is taken, though it gives the whole where a part was asked for', async () => {
  const node = nodeWith({ a: near, b: {} }, { blobVerification: 'off' });
  const content = blob.bytes.map((byte, at) => (at < 100 ? byte : byte ^ 0xff));
  node.peers.script('a', (_request, index) => ({ ignoreRange: true, ...(index === 0 ? { cutAt: 100 } : { content }) }));
  assertPart(await node.get(blob), blob, 0, 200, false);
  await node.clock.advance(second);
  assertPart(await node.get(blob), blob, 0, 200, false);
  assert.deepEqual(asked(node).slice(-3), ['a bytes=0-63', 'b bytes=100-163', 'b bytes=164-199']);
  assertAtRest(node);
});

test('blob: more bytes than promised go no further than promised', async () => {
  const node = nodeWith({ a: { longBy: 50 } });
  assertPart(await node.get(blob), blob, 0, 200, false);
  assertAtRest(node);
});

test('stall: after 2 s without a byte the next one comes from another source (M5)', async () => {
  for (const stallAt of [1, 63, 64, 199]) {
    const node = nodeWith({ a: { stallAt, ...near }, b: {} });
    const outcome = await node.get(blob);
    assertPart(outcome, blob, 0, 200, false);
    assert.ok(outcome.tookUs <= defaultLimits.stallTimeoutUs + 10 * headUs, `at ${stallAt}: ${outcome.tookUs}`);
    assert.ok(outcome.tookUs >= defaultLimits.stallTimeoutUs);
    assertAtRest(node);
  }
});

test('stall: without another source the body is cut, and the next request for that byte is a quick 404 for a minute', async () => {
  const node = nodeWith({ a: { stallAt: 70 } }, { blobVerification: 'off' });
  const first = await node.get(blob);
  assert.deepEqual([first.status, first.bytes.length, first.end], [200, 70, 'SOURCES_EXHAUSTED']);
  assert.ok(first.tookUs <= defaultLimits.stallTimeoutUs + 10 * headUs);
  assertAtRest(node);
  const resumed = await node.get(blob, { range: 'bytes=70-' });
  assert.deepEqual([resumed.status, resumed.tookUs], [404, lookupUs]);
  // Below the failure it is as good as ever.
  assertPart(await node.get(blob, { range: 'bytes=0-69' }), blob, 0, 70, true);
  await node.clock.advance(60 * second);
  node.peers.script('a', {});
  assertPart(await node.get(blob, { range: 'bytes=70-' }), blob, 70, 200, true);
});

test('cut: a body that lost its source looks for another before it gives up', async () => {
  const node = nodeWith({ a: { cutAt: 70, chunkUs: 500_000 } });
  const pull = node.request(`/v2/library/app/blobs/${blob.digest}?ns=docker.io`);
  await node.clock.advance(second);
  node.holders({ a: { cutAt: 70, chunkUs: 500_000 }, b: {} });
  assertPart(await node.clock.settle(pull), blob, 0, 200, false);
  assertAtRest(node);
});

test('stall: without another source the body is cut after one more lookup, however slow lookups are', async () => {
  const slowLookupUs = defaultLimits.lookupTimeoutUs;
  const node = nodeWith({ a: { stallAt: 70 } }, { blobVerification: 'off' });
  node.lookup.set([{ member: scriptedMember('a') }], slowLookupUs);
  const cut = await node.get(blob);
  assert.deepEqual([cut.end, cut.bytes.byteLength], ['SOURCES_EXHAUSTED', 70]);
  assert.ok(cut.tookUs <= defaultLimits.stallTimeoutUs + slowLookupUs + 10 * headUs, `${cut.tookUs} us`);
  assertAtRest(node);
});

test('busy: the only holder is asked again in mid-blob as long as a stall would be borne, and then the body is cut', async () => {
  // The head of the second window is late three times: as on a node that serves as much as it can.
  const lateThrice = (request: { range: string | undefined }, index: number): PeerScript =>
    request.range !== 'bytes=0-63' && index <= 3 ? { silent: true } : {};
  const patient = nodeWith({ a: {} });
  patient.peers.script('a', lateThrice);
  const outcome = await patient.get(blob);
  assertPart(outcome, blob, 0, 200, false);
  assertAtRest(patient);
  const hopeless = nodeWith({ a: {} });
  hopeless.peers.script('a', (request) => (request.range === 'bytes=0-63' ? {} : { silent: true }));
  const cut = await hopeless.get(blob);
  assert.deepEqual([cut.bytes.length, cut.end], [64, 'SOURCES_EXHAUSTED']);
  const { blobHeadTimeoutUs, stallTimeoutUs } = defaultLimits;
  assert.ok(cut.tookUs <= stallTimeoutUs + blobHeadTimeoutUs + second / 10, `${cut.tookUs} us`);
  assertAtRest(hopeless);
});

test('stall: when the others stand still too the body is cut after one stall and one head each, and the next request for that byte asks none of them', async () => {
  const node = nodeWith({ a: { stallAt: 70, ...near }, b: { silent: true }, c: { silent: true } });
  const cut = await node.get(blob);
  assert.deepEqual([cut.bytes.length, cut.end], [70, 'SOURCES_EXHAUSTED']);
  const { blobHeadTimeoutUs, hedgeDelayUs, stallTimeoutUs } = defaultLimits;
  assert.ok(cut.tookUs <= stallTimeoutUs + hedgeDelayUs + blobHeadTimeoutUs + 10 * headUs, `${cut.tookUs} us`);
  assert.equal(node.peers.requests.filter(({ member }) => member !== 'a').length, 2);
  assertAtRest(node);
  const resumed = await node.get(blob, { range: 'bytes=70-' });
  assert.deepEqual([resumed.status, resumed.tookUs], [404, lookupUs]);
});

test('cut: a source that breaks at its first byte is not asked again (M4, M17, M23)', async () => {
  const node = nodeWith({ a: { cutAt: 64 } });
  const outcome = await node.get(blob);
  assert.deepEqual([outcome.bytes.length, outcome.end], [64, 'SOURCES_EXHAUSTED']);
  assert.deepEqual(asked(node), ['a bytes=0-63', 'a bytes=64-127']);
});

test('attempts: at most eight for one byte, whoever is there', async () => {
  const scripts: Record<string, PeerScript> = {
    refused: { refuse: true },
    'heads without a byte': { cutAt: 0 },
    'wrong ranges': { rangeShift: 1 },
    'short bodies': { endAt: 0 },
  };
  for (const [what, script] of Object.entries(scripts)) {
    const node = nodeWith(Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`s${index}`, script])));
    const outcome = await node.get(blob);
    assert.notEqual(outcome.end === 'clean' && outcome.status === 200, true);
    assert.ok(node.peers.requests.length <= defaultLimits.attemptsMax, `${what}: ${node.peers.requests.length}`);
    assertAtRest(node, what);
  }
});

test('attempts: no more than two heads race', async () => {
  const node = nodeWith(Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`s${index}`, { silent: true }])));
  await node.get(blob);
  assert.equal(node.peers.openMax(), defaultLimits.racingHeadsMax);
  assertAtRest(node);
});

test('hedge: the first good head wins, the other is let go of', async () => {
  const node = nodeWith({ a: { headUs: 170_000, ...near }, b: { headUs: 50_000 } });
  const outcome = await node.get(blob);
  assert.equal(outcome.headUs, 170_000);
  const other = nodeWith({ a: { headUs: 400_000, ...near }, b: { headUs: 50_000 } });
  assert.equal((await other.get(blob)).headUs, 150_000 + 50_000);
  assertAtRest(node);
  assertAtRest(other);
});

test('windows: the next is asked for before the last ends, of the same source, and no byte is asked for twice', async () => {
  const node = nodeWith({ a: { chunkUs: 100 }, b: { chunkUs: 100 } });
  const outcome = await node.get(blob);
  assertPart(outcome, blob, 0, 200, false);
  const members = new Set(node.peers.requests.map(({ member }) => member));
  assert.equal(members.size, 1);
  assert.deepEqual(
    node.peers.requests.map(({ range }) => range),
    ['bytes=0-63', 'bytes=64-127', 'bytes=128-191', 'bytes=192-199'],
  );
  // Heads take 1 ms, but the windows' heads come while the one before still flows.
  assert.ok(outcome.tookUs < headUs + 13 * 100 + 3 * (headUs - 100) + 1);
  assert.ok(node.peers.openMax() <= 2);
});

test('windows: a hang-up wastes no more than the window and the next', async () => {
  const node = nodeWith({ a: { chunkUs: 100 } });
  const outcome = await node.get(blob, { hangUpAfterBytes: 16 });
  assert.equal(outcome.end, 'hung-up');
  assert.deepEqual(asked(node), ['a bytes=0-63']);
  assertAtRest(node);
});

test('sizes: what a verified manifest says beats a liar, whoever answers first', async () => {
  const manifest = manifestOf({ layers: [{ digest: blob.digest, size: 200 }] });
  const node = nodeWith({ a: near, b: {} }, { blobVerification: 'off' });
  node.peers.add(manifest);
  assert.equal((await node.clock.settle(node.request(`/v2/library/app/manifests/${manifest.digest}`))).status, 200);
  for (const sizeBytes of [100, 201, 1000, 0]) {
    node.peers.script('a', { sizeBytes });
    assertPart(await node.get(blob), blob, 0, 200, false, `claims ${sizeBytes}`);
    assertPart(await node.get(blob, { range: 'bytes=-50' }), blob, 150, 200, true, `claims ${sizeBytes}`);
    assert.equal((await node.get(blob, { method: 'HEAD' })).headers['content-length'], '200');
  }
});

test('sizes: what a manifest has said since a source was asked counts too', async () => {
  const manifest = manifestOf({ layers: [{ digest: blob.digest, size: 200 }] });
  const node = nodeWith({ a: { sizeBytes: 201, ...near }, b: {} }, { blobVerification: 'off' });
  const url = `/v2/library/app/blobs/${blob.digest}?ns=docker.io`;
  const pull = node.request(url, { range: 'bytes=0-49' });
  await node.clock.advance(headUs / 2);
  node.sizes.learn(manifest.bytes);
  assertPart(await node.clock.settle(pull), blob, 0, 50, true);
  assert.deepEqual(asked(node), ['a bytes=0-49', 'b bytes=0-49']);
});

test('eight requests at once for one blob: none is 404 while a holder is well', async () => {
  const node = nodeWith({ dead: { refuse: true, ...near }, silent: { silent: true, ...near }, well: {} });
  const pulls = Promise.all(
    Array.from({ length: 8 }, () => node.request(`/v2/library/app/blobs/${blob.digest}?ns=docker.io`)),
  );
  for (const outcome of await node.clock.settle(pulls)) assertPart(outcome, blob, 0, 200, false);
  assertAtRest(node);
});

test('time: the wall clock decides nothing (M14)', async () => {
  const node = nodeWith({ a: { stallAt: 70, ...near }, b: {} });
  const pull = node.request(`/v2/library/app/blobs/${blob.digest}?ns=docker.io`);
  node.clock.shiftWall(1e15);
  await node.clock.advance(second);
  node.clock.shiftWall(-3e15);
  assertPart(await node.clock.settle(pull), blob, 0, 200, false);
  assert.ok(node.clock.nowUs() < 4 * second);
});
