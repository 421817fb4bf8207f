import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistryFilter } from '../filters/registry-filter.ts';
import { defaultLimits } from '../limits.ts';
import { assertAtRest } from '../testing/assertions.ts';
import { blobOf, manifestOf, testBlob } from '../testing/blob.ts';
import type { TestBlob } from '../testing/blob.ts';
import { scriptedMember } from '../testing/scripted-peers.ts';
import type { PeerScript } from '../testing/scripted-peers.ts';
import { createTestNode } from '../testing/test-node.ts';
import type { ClientHabits, HolderScript, Outcome, TestNode, TestNodeOptions } from '../testing/test-node.ts';

/** L4, L7 and L8 of manifests: checked before their first byte, bounded for each source, fresh. */

const manifest = manifestOf({ schemaVersion: 2, layers: [{ digest: testBlob(200).digest, size: 200 }] });
const other = manifestOf({ schemaVersion: 2, layers: [] });
const near = { member: { zone: 'near' } };
const headUs = 1_000;
const lookupUs = 2_000;
const second = 1_000_000;

function nodeWith(holders: Record<string, HolderScript>, options: TestNodeOptions = {}): TestNode {
  const node = createTestNode({ zone: 'near', ...options });
  node.peers.add(manifest, 'v1');
  node.holders(holders);
  return node;
}
const ask = (node: TestNode, reference: string, habits: ClientHabits = {}): Promise<Outcome> =>
  node.clock.settle(node.request(`/v2/library/app/manifests/${reference}?ns=docker.io`, habits));
const assertManifest = (outcome: Outcome, expected: TestBlob = manifest, where = ''): void => {
  assert.equal(outcome.status, 200, where);
  assert.equal(outcome.headers['docker-content-digest'], expected.digest, where);
  assert.equal(outcome.headers['content-length'], String(expected.sizeBytes), where);
  assert.deepEqual(Buffer.from(outcome.bytes), Buffer.from(expected.bytes), where);
};

const failures: readonly (readonly [string, PeerScript, number])[] = [
  ['a refused connection', { refuse: true }, 0],
  ['404', { status: 404 }, headUs],
  ['503', { status: 503 }, headUs],
  ['206', { status: 206 }, headUs],
  ['another digest', { digest: other.digest }, headUs],
  ['wrong bytes', { flipAt: 5 }, headUs],
  ['a cut', { cutAt: 5 }, headUs],
  ['a short body', { endAt: 5 }, headUs],
  ['a long body', { longBy: 1 }, headUs],
  ['too large a claim', { sizeBytes: defaultLimits.manifestMaxBytes + 1 }, headUs],
  ['an unplugged node', { dialTimeout: true }, defaultLimits.hedgeDelayUs],
  ['a silent one', { silent: true }, defaultLimits.hedgeDelayUs],
  ['a stall in the body', { stallAt: 5 }, defaultLimits.hedgeDelayUs],
];
for (const [what, script, costUs] of failures) {
  test(`manifest: ${what} costs exactly ${String(costUs)} us, and the right bytes come from the next`, async () => {
    for (const reference of [manifest.digest, 'v1']) {
      const node = nodeWith({ a: { ...script, ...near }, b: {} });
      const outcome = await ask(node, reference);
      assertManifest(outcome, manifest, what);
      const gatherUs = reference === 'v1' ? lookupUs : 0;
      assert.equal(outcome.headUs, gatherUs + costUs + headUs);
      assertAtRest(node, what);
    }
  });

  test(`manifest: ${what} and nobody else is 404 within 2 s of being asked, HEAD within 1 s`, async () => {
    const node = nodeWith({ a: script });
    const outcome = await ask(node, manifest.digest);
    assert.equal(outcome.status, 404);
    assert.ok(outcome.tookUs <= defaultLimits.manifestTimeoutUs);
    assert.match(new TextDecoder().decode(outcome.bytes), /MANIFEST_UNKNOWN/);
    assertAtRest(node, what);
    const head = await ask(nodeWith({ a: script }), manifest.digest, { method: 'HEAD' });
    assert.ok(head.tookUs <= defaultLimits.peerHeadTimeoutUs);
  });
}

test('manifest: one that never ends is left after 2 s, body included, and says so', async () => {
  const node = nodeWith({ a: { chunkBytes: 1, chunkUs: 500_000 } });
  const outcome = await ask(node, manifest.digest);
  assert.deepEqual([outcome.status, outcome.tookUs], [404, defaultLimits.manifestTimeoutUs]);
  assert.deepEqual(
    node.pulls.flatMap((event) => (event.type === 'attempt-failed' ? [event.reason] : [])),
    ['MANIFEST_TIMEOUT'],
  );
  assertAtRest(node);
});

test('manifest: HEAD waits 1 s for one silent member', async () => {
  const node = nodeWith({ a: { silent: true } });
  const outcome = await ask(node, manifest.digest, { method: 'HEAD' });
  assert.deepEqual([outcome.status, outcome.tookUs, outcome.bytes.length], [404, defaultLimits.peerHeadTimeoutUs, 0]);
  assertAtRest(node);
});

test('manifest: nothing of a wrong one leaves, and its source is not asked again', async () => {
  const node = nodeWith({ a: { flipAt: 3 } });
  assert.equal((await ask(node, manifest.digest)).status, 404);
  assert.equal((await ask(node, manifest.digest)).status, 404);
  assert.equal(node.peers.requests.length, 1);
});

test('manifest: what it is, is passed on: any content type, any bytes', async () => {
  const kinds: readonly (readonly [TestBlob, string])[] = [
    [manifestOf({ manifests: [] }), 'application/vnd.oci.image.index.v1+json'],
    [manifestOf({ artifactType: 'x/y' }), 'application/vnd.oci.artifact.manifest.v1+json'],
    [manifestOf({ schemaVersion: 2 }), 'application/vnd.docker.distribution.manifest.v2+json'],
    [blobOf(new TextEncoder().encode('no JSON, {')), 'text/x-anything'],
    [blobOf(new Uint8Array([0xff, 0, 1])), 'application/octet-stream'],
  ];
  for (const [blob, contentType] of kinds) {
    const node = nodeWith({ a: { contentType } });
    node.peers.add(blob);
    const outcome = await ask(node, blob.digest);
    assertManifest(outcome, blob);
    assert.equal(outcome.headers['content-type'], contentType);
    const head = await ask(node, blob.digest, { method: 'HEAD' });
    assert.deepEqual([head.status, { ...head.headers, 'peili-pull-id': '1' }], [200, outcome.headers]);
    assertAtRest(node);
  }
});

test('manifest: its story tells of the bytes that the client gets, of a part as of the whole', async () => {
  for (const range of [undefined, 'bytes=5-9', 'bytes=-1']) {
    const node = nodeWith({ a: near });
    const outcome = await ask(node, manifest.digest, range === undefined ? {} : { range });
    const told = node.pulls.flatMap((event) => (event.type === 'bytes' ? [event.to - event.from] : []));
    assert.deepEqual(told, [outcome.bytes.length], String(range));
  }
});

test('tag: its digest and its age are told', async () => {
  const node = nodeWith({ a: { ageSeconds: 90 } });
  const outcome = await ask(node, 'v1');
  assertManifest(outcome);
  assert.equal(outcome.headers['age'], '90');
  assert.ok(node.pulls.some((event) => event.type === 'head' && event.ageUs === 90 * second));
});

test('tag: of all answers of the lookup the freshest is asked', async () => {
  const node = nodeWith({ old: near, fresh: {} });
  const tag = (ageUs: number) => ({ digest: manifest.digest, ageUs });
  node.lookup.set([
    { member: scriptedMember('old', { zone: 'near' }), tag: tag(9 * second) },
    { member: scriptedMember('fresh'), tag: tag(second), afterUs: 1_500 },
  ]);
  assertManifest(await ask(node, 'v1'));
  assert.deepEqual(
    node.peers.requests.map(({ member }) => member),
    ['fresh'],
  );
});

test('tag: the lookup is waited for 25 ms at most', async () => {
  const node = nodeWith({ a: {} });
  node.lookup.set([{ member: scriptedMember('a') }], 100_000);
  assert.equal((await ask(node, 'v1')).headUs, defaultLimits.lookupMissTimeoutUs + headUs);
  assertAtRest(node);
});

test('tag: older than its policy is not believed, by record, by answer, or without a word (M16)', async () => {
  const tagMaxAgeUs = 60 * second;
  const rows: readonly (readonly [number | undefined, number | undefined, number])[] = [
    [59 * second, undefined, 200],
    [61 * second, undefined, 404],
    [undefined, undefined, 404],
    [1 * second, 61, 404],
    [1 * second, 59, 200],
  ];
  for (const [recordUs, ageSeconds, status] of rows) {
    const node = nodeWith({ a: ageSeconds === undefined ? {} : { ageSeconds } }, { tagMaxAgeUs });
    const member = scriptedMember('a');
    node.lookup.set([
      recordUs === undefined ? { member } : { member, tag: { digest: manifest.digest, ageUs: recordUs } },
    ]);
    const where = `record ${recordUs}, answer ${ageSeconds}`;
    assert.equal((await ask(node, 'v1')).status, status, where);
    if ((recordUs ?? Infinity) > tagMaxAgeUs) assert.equal(node.peers.requests.length, 0, `${where}: asked in vain`);
    assert.equal((await ask(node, manifest.digest)).status, 200, `${where}: a digest has no age`);
    assertAtRest(node, where);
  }
});

test('tag: this node answers for itself only while it is fresh', async () => {
  const node = nodeWith({}, { tagMaxAgeUs: 60 * second });
  node.store.add(manifest);
  node.store.tag('docker.io/library/app:v1', manifest.digest, node.clock.wallUs() - 59 * second);
  const fresh = await ask(node, 'v1');
  assertManifest(fresh);
  assert.equal(fresh.headers['age'], '59');
  node.clock.shiftWall(2 * second);
  assert.equal((await ask(node, 'v1')).status, 404);
  node.clock.shiftWall(-1e12);
  assert.equal((await ask(node, 'v1')).headers['age'], '0');
});

test('filter: what it keeps out costs no lookup, no read and no request (M15)', async () => {
  const filter = createRegistryFilter({ registryFilters: [':v1$'] });
  const node = nodeWith({ a: {} }, { filter });
  node.store.add(manifest);
  node.store.tag('docker.io/library/app:v1', manifest.digest, 0);
  assert.equal((await ask(node, 'v1')).status, 404);
  assert.deepEqual([node.lookup.keys, node.peers.requests, node.store.opens], [[], [], []]);
  assert.deepEqual(
    node.pulls.flatMap((event) => (event.type === 'end' ? [event.reason] : [])),
    ['filtered'],
  );
});

test('mirrors: a request of a mirror is answered by this node alone, with no lookup and no request (L12)', async () => {
  const node = nodeWith({ a: {} });
  for (const method of ['GET', 'HEAD'] as const)
    for (const target of [`manifests/${manifest.digest}`, 'manifests/v1', `blobs/${testBlob(200).digest}`]) {
      const outcome = await node.clock.settle(
        node.request(`/v2/library/app/${target}?ns=docker.io`, { method, mirrored: true }),
      );
      assert.deepEqual([outcome.status, outcome.tookUs], [404, 0]);
    }
  assert.deepEqual([node.lookup.keys, node.peers.requests], [[], []]);
  assertAtRest(node);
});
