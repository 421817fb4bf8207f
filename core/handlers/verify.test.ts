import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../limits.ts';
import { assertAtRest, assertPart } from '../testing/assertions.ts';
import { testBlob } from '../testing/blob.ts';
import type { PeerScript } from '../testing/scripted-peers.ts';
import { createTestNode } from '../testing/test-node.ts';
import type { HolderScript, TestNode, TestNodeOptions } from '../testing/test-node.ts';

/** L8: who lied is out when the client asks again, and no honest source is ever named. */

const blob = testBlob(200);
const headUs = 1_000;
const near = { member: { zone: 'near' } };
const liar: PeerScript = { flipAt: 100 };

function nodeWith(holders: Record<string, HolderScript>, options: TestNodeOptions = {}): TestNode {
  const node = createTestNode({ zone: 'near', ...options });
  node.peers.add(blob);
  node.holders(holders);
  return node;
}
const named = (node: TestNode): string[] =>
  node.pulls.flatMap((event) => (event.type === 'liar' ? [event.source] : []));
const bodiesFrom = (node: TestNode, from = 0): string[] => [
  ...new Set(node.peers.requests.slice(from).flatMap(({ member, method }) => (method === 'GET' ? [member] : []))),
];
const checks = (node: TestNode): string[] =>
  node.peers.requests.flatMap(({ member, selfCheck }) => (selfCheck ? [member] : []));
const isWrong = (bytes: Uint8Array): boolean => !Buffer.from(bytes).equals(Buffer.from(blob.bytes));

test('liar: when the client asks again others go first, and the suspect is asked to check its own file', async () => {
  for (const selfCheck of [undefined, 'right', 'wrong'] as const) {
    const node = nodeWith({ a: { ...liar, ...near, ...(selfCheck === undefined ? {} : { selfCheck }) }, b: {} });
    assert.ok(isWrong((await node.get(blob)).bytes));
    await node.clock.advance(1_000_000);
    const before = node.peers.requests.length;
    assertPart(await node.get(blob), blob, 0, 200, false);
    assert.deepEqual(bodiesFrom(node, before), ['b']);
    assert.deepEqual(checks(node), ['a']);
    assert.deepEqual(named(node), selfCheck === 'wrong' ? ['a'] : []);
    assertAtRest(node, String(selfCheck));
  }
});

test('liar: alone it is asked for its proof, and without one within 500 ms the answer is 404', async () => {
  const proofs: readonly (readonly [PeerScript, number])[] = [
    [{}, headUs],
    [{ selfCheck: 'wrong' }, headUs],
    [{ headUs: 700_000 }, defaultLimits.selfCheckWaitUs],
    [{ silent: true }, defaultLimits.selfCheckWaitUs],
    [{ refuse: true }, 0],
  ];
  for (const [proof, tookUs] of proofs) {
    const node = nodeWith({ a: liar });
    await node.get(blob);
    node.peers.script('a', { ...liar, ...proof });
    const again = await node.get(blob);
    assert.deepEqual([again.status, again.tookUs], [404, Math.max(tookUs, 2_000)], JSON.stringify(proof));
    assertAtRest(node, JSON.stringify(proof));
  }
});

test('liar: one that calls its wrong file right is hashed the next time, named, and not asked again', async () => {
  const node = nodeWith({ a: { ...liar, selfCheck: 'right' } });
  await node.get(blob);
  const second = await node.get(blob);
  assert.deepEqual([second.status, second.end], [200, 'DIGEST_MISMATCH']);
  assert.ok(second.bytes.length < 200, 'a wrong body is never whole at the client');
  assert.deepEqual(named(node), ['a']);
  const third = await node.get(blob);
  assert.equal(third.status, 404);
  assertAtRest(node);
});

test('honest: asked again for good bytes, a source proves itself and serves; nobody is named, however often', async () => {
  const node = nodeWith({ a: { selfCheck: 'right' } });
  for (let pull = 0; pull < 5; pull += 1) assertPart(await node.get(blob), blob, 0, 200, false);
  assert.deepEqual(named(node), []);
  assert.equal(checks(node).length, 4);
  assertAtRest(node);
});

test('honest: hang-ups, cuts and ranges side by side put nobody under suspicion', async () => {
  const node = nodeWith({ a: {} });
  for (const hangUpAfterBytes of [0, 16, 100]) await node.get(blob, { hangUpAfterBytes });
  for (const range of ['bytes=0-63', 'bytes=64-127', 'bytes=128-']) await node.get(blob, { range });
  assert.deepEqual(checks(node), []);
  assert.equal((await node.get(blob, { method: 'HEAD' })).status, 200, 'HEAD is no suspicion');
  assert.deepEqual([named(node), checks(node)], [[], []]);
});

test('suspicion: what a cut body delivered counts, whoever gave the rest', async () => {
  const node = nodeWith({ a: { flipAt: 10, cutAt: 70 } });
  assert.equal((await node.get(blob)).bytes.length, 70);
  node.holders({ a: { flipAt: 10, cutAt: 70 }, b: {} });
  assertPart(await node.get(blob, { range: 'bytes=70-' }), blob, 70, 200, true);
  node.peers.script('b', { selfCheck: 'right' });
  const before = node.peers.requests.length;
  assertPart(await node.get(blob), blob, 0, 200, false);
  assert.deepEqual(bodiesFrom(node, before), ['b']);
});

test('always: a mismatch ends the body before its last byte, names the only source, and the retry goes elsewhere', async () => {
  for (const flipAt of [0, 63, 64, 199]) {
    const node = nodeWith({ a: { flipAt, ...near }, b: {} }, { blobVerification: 'always' });
    const outcome = await node.get(blob);
    assert.deepEqual([outcome.status, outcome.end], [200, 'DIGEST_MISMATCH']);
    assert.ok(outcome.bytes.length < 200);
    assert.deepEqual(named(node), ['a']);
    assert.deepEqual(
      node.pulls.flatMap((event) => (event.type === 'end' ? [event.reason] : [])),
      ['mismatch'],
    );
    assertAtRest(node);
    const before = node.peers.requests.length;
    assertPart(await node.get(blob), blob, 0, 200, false);
    assert.deepEqual(bodiesFrom(node, before), ['b']);
    assertAtRest(node);
  }
});

test('always: wrong bytes of two sources name neither; both have to prove themselves', async () => {
  const node = nodeWith({ a: { flipAt: 10, cutAt: 70, ...near }, b: {} }, { blobVerification: 'always' });
  const outcome = await node.get(blob);
  assert.equal(outcome.end, 'DIGEST_MISMATCH');
  assert.deepEqual(named(node), []);
  await node.get(blob);
  assert.deepEqual(new Set(checks(node)), new Set(['a', 'b']));
});

test('always: good bytes pass however many sources gave them, at any speed of hashing', async () => {
  for (const hashUs of [0, 700, 5_000]) {
    const node = nodeWith(
      { a: { cutAt: 70, chunkUs: 300, ...near }, b: { chunkUs: 300 } },
      { blobVerification: 'always', hashUs },
    );
    assertPart(await node.get(blob), blob, 0, 200, false);
    assert.deepEqual(named(node), []);
    assertAtRest(node);
  }
});

test('off: nothing is hashed, remembered or asked', async () => {
  const node = nodeWith({ a: liar }, { blobVerification: 'off' });
  for (let pull = 0; pull < 3; pull += 1) assert.equal((await node.get(blob)).end, 'clean');
  assert.deepEqual([checks(node), named(node)], [[], []]);
});

test('own file: a wrong one is found when the client asks again, withdrawn, and peers go on', async () => {
  const node = nodeWith({ b: {} });
  node.store.add(blob, { flipAt: 50 });
  assert.ok(isWrong((await node.get(blob)).bytes));
  assertPart(await node.get(blob), blob, 0, 200, false);
  assert.deepEqual(node.withdrawn, [blob.digest]);
  const mirrored = await node.get(blob, { mirrored: true });
  assert.equal(mirrored.status, 404);
  assertAtRest(node);
});

test('own file: a mismatch over its bytes alone has it checked and withdrawn', async () => {
  const node = nodeWith({}, { blobVerification: 'always' });
  node.store.add(blob, { flipAt: 50 });
  assert.equal((await node.get(blob)).end, 'DIGEST_MISMATCH');
  await node.clock.advance(1);
  assert.deepEqual([named(node), node.withdrawn], [['local'], [blob.digest]]);
  assertAtRest(node);
});

test('own file: a right one is served again, however often', async () => {
  const node = nodeWith({});
  node.store.add(blob);
  for (let pull = 0; pull < 4; pull += 1) assertPart(await node.get(blob), blob, 0, 200, false);
  assert.deepEqual([named(node), node.withdrawn], [[], []]);
  assertAtRest(node);
});

test('self-check: says right, wrong, or nothing in time, and one hash serves a minute', async () => {
  const ask = (node: TestNode) =>
    node.get(blob, { method: 'HEAD', mirrored: true, headers: { 'peili-self-check': 'true' } });
  const said = ({ headers, status }: { headers: Readonly<Record<string, string>>; status: number }) => [
    status,
    headers['peili-self-check'],
  ];
  const right = nodeWith({});
  right.store.add(blob);
  for (let time = 0; time < 3; time += 1) assert.deepEqual(said(await ask(right)), [200, 'right']);
  assert.equal(right.store.opens.length, 1);
  const wrong = nodeWith({});
  wrong.store.add(blob, { flipAt: 3 });
  assert.deepEqual(said(await ask(wrong)), [404, 'wrong']);
  assert.deepEqual(wrong.withdrawn, [blob.digest]);
  const absent = nodeWith({});
  assert.deepEqual(said(await ask(absent)), [404, undefined]);
  const slow = nodeWith({}, { hashUs: 60_000 });
  slow.store.add(blob);
  const outcome = await ask(slow);
  assert.deepEqual([said(outcome), outcome.tookUs], [[404, undefined], defaultLimits.selfCheckWaitUs]);
  await slow.clock.advance(2_000_000);
  assert.deepEqual(said(await ask(slow)), [200, 'right'], 'the hash went on');
  for (const node of [right, wrong, absent, slow]) assertAtRest(node);
});

test('self-check: a file that is replaced while it is hashed is not found wrong', async () => {
  const node = nodeWith({}, { hashUs: 1_000 });
  node.store.add(blob, { flipAt: 3 });
  const check = node.selfCheck.check(blob.digest);
  await node.clock.advance(5_000);
  node.store.add(blob);
  node.selfCheck.forget(blob.digest);
  assert.equal(await node.clock.settle(check), 'unknown');
  assert.equal(node.selfCheck.isWrong(blob.digest), false);
  assert.equal(await node.clock.settle(node.selfCheck.check(blob.digest)), 'right');
});

test('self-check: of many at once only so many wait, and it ends with the node', async () => {
  const node = nodeWith({}, { hashUs: 1_000 });
  const blobs = Array.from({ length: defaultLimits.selfChecksMax + 1 }, (_, seed) => testBlob(40, seed + 2));
  for (const each of blobs) node.store.add(each);
  const all = Promise.all(blobs.map(({ digest }) => node.selfCheck.check(digest)));
  await node.clock.advance(1);
  node.selfCheck.dispose();
  const results = await node.clock.settle(all);
  assert.deepEqual(new Set(results), new Set(['unknown']));
  assert.equal(node.store.opens.length, 1);
  await node.clock.advance(1_000); // The time of the scripted hash itself.
  assertAtRest(node);
});

test('self-check: a disk that does not answer costs its own check a stall, and the next one nothing more', async () => {
  for (const script of [{ stallAt: 40 }, { hangs: 'open' }, { hangs: 'info' }] as const) {
    const node = nodeWith({});
    node.store.add(blob, script);
    const next = testBlob(40, 7);
    node.store.add(next);
    const stuck = node.selfCheck.check(blob.digest);
    const waiting = node.selfCheck.check(next.digest);
    assert.equal(await node.clock.settle(stuck), 'unknown', JSON.stringify(script));
    assert.equal(await node.clock.settle(waiting), 'right', JSON.stringify(script));
    assert.deepEqual(
      node.nodeEvents.map(({ type }) => type),
      ['store-failed'],
    );
    assertAtRest(node);
  }
});

test('self-check: a slow disk is not one that does not answer', async () => {
  const node = nodeWith({});
  node.store.add(blob, { chunkBytes: 40, chunkUs: defaultLimits.stallTimeoutUs - 1 });
  assert.equal(await node.clock.settle(node.selfCheck.check(blob.digest)), 'right');
  assertAtRest(node);
});
