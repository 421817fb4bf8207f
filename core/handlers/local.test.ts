import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../limits.ts';
import { assertAtRest, assertPart } from '../testing/assertions.ts';
import { blobOf, manifestOf, testBlob } from '../testing/blob.ts';
import type { StoreScript } from '../testing/faulty-store.ts';
import { blobTarget, createTestNode } from '../testing/test-node.ts';
import type { HolderScript, TestNode, TestNodeOptions } from '../testing/test-node.ts';

/** This node as source 0: what it has, exactly, and peers for what its disk does not give. */

const blob = testBlob(200);
const second = 1_000_000;

function nodeWith(
  script: StoreScript,
  holders: Record<string, HolderScript> = {},
  options: TestNodeOptions = {},
): TestNode {
  const node = createTestNode(options);
  node.peers.add(blob);
  node.store.add(blob, script);
  node.holders(holders);
  return node;
}
const local = (): TestNode => nodeWith({});
const relayed = (): TestNode => {
  const node = createTestNode({ blobVerification: 'off' });
  node.peers.add(blob);
  node.holders({ a: {} });
  return node;
};

/** RFC 9110 with the contract's two exceptions (L5): what is answered, status and [start, end). */
const rows: readonly (readonly [string | undefined, number, number, number])[] = [
  [undefined, 200, 0, 200],
  ['bytes=0-', 200, 0, 200],
  ['bytes=0-199', 206, 0, 200],
  ['bytes=0-500', 206, 0, 200],
  ['bytes=0-0', 206, 0, 1],
  ['bytes=1-', 206, 1, 200],
  ['bytes=63-64', 206, 63, 65],
  ['bytes=199-', 206, 199, 200],
  ['bytes=200-', 416, 0, 0],
  ['bytes=200-300', 416, 0, 0],
  ['bytes=9007199254740993-', 416, 0, 0],
  ['bytes=-1', 206, 199, 200],
  ['bytes=-200', 206, 0, 200],
  ['bytes=-900', 206, 0, 200],
  ['bytes=-0', 416, 0, 0],
  ['bytes=5-4', 200, 0, 200],
  ['bytes=0-1,5-6', 200, 0, 200],
  ['bytes=x', 200, 0, 200],
  ['lines=1-2', 200, 0, 200],
];
for (const [kind, make] of Object.entries({ local, relayed })) {
  test(`ranges, ${kind}: GET and HEAD answer exactly, and alike (M7)`, async () => {
    for (const [range, status, start, end] of rows) {
      for (const method of ['GET', 'HEAD'] as const) {
        const node = make();
        const outcome = await node.get(blob, { method, ...(range === undefined ? {} : { range }) });
        const where = `${method} ${String(range)}`;
        if (status === 416) {
          assert.equal(outcome.status, 416, where);
          assert.equal(outcome.headers['content-range'], 'bytes */200', where);
        } else if (method === 'GET') {
          assertPart(outcome, blob, start, end, status === 206, where);
        } else {
          assert.equal(outcome.status, status, where);
          assert.equal(outcome.headers['content-length'], String(end - start), where);
          assert.equal(
            outcome.headers['content-range'],
            status === 206 ? `bytes ${start}-${end - 1}/200` : undefined,
            where,
          );
          assert.equal(outcome.bytes.length, 0, where);
        }
        assertAtRest(node, where);
      }
    }
  });

  test(`ranges, ${kind}: of a size learned before they are the same`, async () => {
    const manifest = manifestOf({ layers: [{ digest: blob.digest, size: 200 }] });
    for (const [range, status, start, end] of rows) {
      const node = make();
      node.peers.add(manifest);
      node.store.add(manifest);
      await node.clock.settle(node.request(`/v2/library/app/manifests/${manifest.digest}`));
      const outcome = await node.get(blob, range === undefined ? {} : { range });
      if (status === 416) assert.equal(outcome.status, 416);
      else assertPart(outcome, blob, start, end, status === 206, String(range));
      assertAtRest(node, String(range));
    }
  });
}

test('empty: the empty blob is answered whole, from here and from peers, and a range of it is 416', async () => {
  const empty = blobOf(new Uint8Array());
  for (const isLocal of [true, false]) {
    for (const [range, status] of [
      [undefined, 200],
      ['bytes=0-', 200],
      ['bytes=-5', 200],
      ['bytes=0-0', 416],
      ['bytes=1-', 416],
    ] as const) {
      const node = createTestNode();
      if (isLocal) node.store.add(empty);
      node.peers.add(empty);
      node.holders({ a: {} });
      for (const method of ['GET', 'HEAD'] as const) {
        const outcome = await node.get(empty, { method, ...(range === undefined ? {} : { range }) });
        const where = `${String(isLocal)} ${method} ${String(range)}`;
        assert.deepEqual([outcome.status, outcome.end], [status, 'clean'], where);
        if (status === 200)
          assert.deepEqual([outcome.headers['content-length'], outcome.bytes.length], ['0', 0], where);
        assertAtRest(node, where);
      }
    }
  }
});

test('disk: an error at any byte is continued from a peer at that byte', async () => {
  for (const at of [0, 1, 16, 63, 64, 199]) {
    for (const [range, start, end] of [
      [undefined, 0, 200],
      ['bytes=-190', 10, 200],
      ['bytes=10-150', 10, 151],
    ] as const) {
      const node = nodeWith({ cutAt: at }, { a: {} });
      const where = `${at} ${String(range)}`;
      assertPart(
        await node.get(blob, range === undefined ? {} : { range }),
        blob,
        start,
        end,
        range !== undefined,
        where,
      );
      const from = Math.min(...node.peers.requests.map((request) => Number(/\d+/.exec(request.range ?? '')?.[0])));
      if (at < end) assert.equal(from, Math.max(at, start), where);
      else assert.equal(node.peers.requests.length, 0);
      assertAtRest(node, where);
    }
  }
});

test('disk: a stall is continued from a peer after 2 s', async () => {
  const node = nodeWith({ stallAt: 70 }, { a: {} });
  const outcome = await node.get(blob);
  assertPart(outcome, blob, 0, 200, false);
  assert.ok(outcome.tookUs >= defaultLimits.stallTimeoutUs && outcome.tookUs < defaultLimits.stallTimeoutUs + 10_000);
  assertAtRest(node);
});

test('disk: where it failed it is not read again for a minute; before that byte it is', async () => {
  const node = nodeWith({ cutAt: 70 }, { a: {} }, { blobVerification: 'off' });
  for (let pull = 0; pull < 3; pull += 1) assertPart(await node.get(blob), blob, 0, 200, false);
  assert.deepEqual(
    node.store.opens.map(({ end, start }) => [start, end]),
    [
      [0, 200],
      [0, 70],
      [0, 70],
    ],
  );
  assertPart(await node.get(blob, { range: 'bytes=80-' }), blob, 80, 200, true);
  assert.equal(node.store.opens.length, 3);
  await node.clock.advance(60 * second);
  await node.get(blob);
  assert.deepEqual(node.store.opens.at(-1), { digest: blob.digest, start: 0, end: 200 });
});

test('disk: an error that no peer can mend cuts the body, and the next request for that byte is a quick 404', async () => {
  const node = nodeWith({ cutAt: 70 });
  const outcome = await node.get(blob);
  assert.deepEqual([outcome.status, outcome.bytes.length, outcome.end], [200, 70, 'SOURCES_EXHAUSTED']);
  assertAtRest(node);
  const resumed = await node.get(blob, { range: 'bytes=70-' });
  assert.equal(resumed.status, 404);
  assert.ok(resumed.tookUs <= 2_000);
});

test('disk: peers that fail after it are asked once, not again and again', async () => {
  const node = nodeWith({ cutAt: 70 }, { a: { cutAt: 100 }, b: { cutAt: 90 } });
  const outcome = await node.get(blob);
  assert.deepEqual([outcome.bytes.length, outcome.end], [100, 'SOURCES_EXHAUSTED']);
  assert.ok(node.lookup.keys.length <= 2);
  assertAtRest(node);
});

test('disk: what cannot be opened comes from peers as a whole', async () => {
  const node = nodeWith({ openFails: true }, { a: {} });
  assertPart(await node.get(blob), blob, 0, 200, false);
  assert.ok(node.nodeEvents.some(({ type }) => type === 'store-failed'));
  assertAtRest(node);
});

test('disk: one that does not answer leaves nobody waiting (L3)', async () => {
  for (const hangs of ['info', 'open', 'resolve'] as const) {
    const node = nodeWith({ hangs }, { a: {} });
    const manifest = manifestOf({});
    node.peers.add(manifest, 'v1');
    node.store.add(manifest, { hangs });
    for (const target of [
      blobTarget(blob),
      `/v2/library/app/manifests/${manifest.digest}?ns=docker.io`,
      '/v2/library/app/manifests/v1?ns=docker.io',
    ]) {
      const outcome = await node.clock.settle(node.request(target));
      assert.deepEqual([outcome.status, outcome.end], [200, 'clean'], `${hangs} ${target}`);
      assert.ok(outcome.tookUs <= 2 * defaultLimits.stallTimeoutUs, `${hangs} ${target}: ${outcome.tookUs}`);
      assertAtRest(node, hangs);
      const mirrored = await node.clock.settle(node.request(target, { mirrored: true }));
      assert.ok(mirrored.tookUs <= 2 * defaultLimits.stallTimeoutUs);
      assertAtRest(node, hangs);
    }
  }
});

test('disk: a manifest with a wrong byte is not answered with, but a right one from a peer, and the file is withdrawn', async () => {
  const manifest = manifestOf({ layers: [] });
  const node = nodeWith({}, { a: {} });
  node.peers.add(manifest);
  node.store.add(manifest, { flipAt: 3 });
  const outcome = await node.clock.settle(node.request(`/v2/library/app/manifests/${manifest.digest}`));
  assert.deepEqual(Buffer.from(outcome.bytes), Buffer.from(manifest.bytes));
  assert.deepEqual(node.withdrawn, [manifest.digest]);
  const mirrored = await node.clock.settle(
    node.request(`/v2/library/app/manifests/${manifest.digest}`, { mirrored: true }),
  );
  assert.equal(mirrored.status, 404);
  assertAtRest(node);
});

test('uploads: beyond the limit a mirror is told 503 before anything is read, a client is served', async () => {
  const node = nodeWith({ chunkUs: 1_000 }, {}, { limits: { uploadsMax: 2 } });
  const pulls = Array.from({ length: 3 }, () => node.request(blobTarget(blob), { mirrored: true }));
  const client = node.request(blobTarget(blob));
  const head = node.request(blobTarget(blob), { mirrored: true, method: 'HEAD' });
  const outcomes = await node.clock.settle(Promise.all(pulls));
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    [200, 200, 503],
  );
  assert.equal(outcomes[2]?.tookUs, 0);
  assert.equal((await node.clock.settle(client)).status, 200);
  assert.equal((await node.clock.settle(head)).status, 200);
  assertAtRest(node);
  assert.equal((await node.get(blob, { mirrored: true })).status, 200, 'a slot is free again');
  node.uploads.close();
  assert.equal((await node.get(blob, { mirrored: true })).status, 503);
  assert.equal(node.uploads.free(), 0);
  assert.equal((await node.get(blob)).status, 200, 'a client is served while the node drains');
});

test('uploads: a slot is free again however the body ends', async () => {
  for (const [script, habits] of [
    [{ cutAt: 50 }, {}],
    [{}, { hangUpAfterBytes: 16 }],
    [{ openFails: true }, {}],
    [{}, { range: 'bytes=900-' }],
  ] as const) {
    const node = nodeWith(script);
    await node.get(blob, { mirrored: true, ...habits });
    assertAtRest(node, JSON.stringify([script, habits]));
  }
});

test('mirrors: a disk error in mid-body is not continued from others (L12)', async () => {
  const node = nodeWith({ cutAt: 70 }, { a: {} });
  const outcome = await node.get(blob, { mirrored: true });
  assert.deepEqual([outcome.bytes.length, outcome.end], [70, 'SOURCES_EXHAUSTED']);
  assert.deepEqual([node.peers.requests, node.lookup.keys], [[], []]);
});

test('media types: one that no header can carry, from a store or a peer, becomes octets', async () => {
  for (const contentType of ['text/\u4e2d', 'a/b\r\nx: y', '', ' a/b']) {
    const own = nodeWith({ mediaType: contentType });
    assert.equal((await own.get(blob)).headers['content-type'], 'application/octet-stream');
    const other = createTestNode();
    other.peers.add(blob);
    other.holders({ a: { contentType } });
    assert.equal((await other.get(blob)).headers['content-type'], 'application/octet-stream');
  }
  assert.equal((await nodeWith({ mediaType: 'a/b; c="d e"' }).get(blob)).headers['content-type'], 'a/b; c="d e"');
});
