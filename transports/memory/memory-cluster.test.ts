import { test } from 'node:test';
import assert from 'node:assert/strict';
import { patternBytes, readBody } from '../../core/conformance/index.ts';
import { errorCodeOf } from '../../core/index.ts';
import type { PeerRequest } from '../../core/index.ts';
import { createVirtualClock } from '../../core/testing/virtual-clock.ts';
import { createDigester } from '../system/digester.ts';
import type { LinkFault } from './link-fault.ts';
import { createMemoryBody } from './memory-body.ts';
import { createMemoryCluster } from './memory-cluster.ts';

const content = patternBytes(300_000);
const never = new AbortController().signal;
const whole: PeerRequest = { method: 'GET', target: '/v2/', headers: {} };
const part: PeerRequest = { ...whole, headers: { range: 'bytes=100000-199999' } };

/** Two nodes; the second answers `content`, whole or the one part. */
function twoNodes() {
  const clock = createVirtualClock();
  const cluster = createMemoryCluster({ clock, digester: createDigester() });
  const [one, two] = [cluster.addNode(), cluster.addNode()];
  two.listen({
    answer: async ({ headers }, signal) => {
      const [start, end] = headers['range'] === undefined ? [0, 300_000] : [100_000, 200_000];
      const options = { current: () => content, chunkBytes: 64_000, signal, onEnded: () => undefined };
      const body = createMemoryBody({ ...options, start, end });
      const length = { 'content-length': String(end - start) };
      if (start === 0) return { status: 200, headers: length, body };
      return { status: 206, headers: { ...length, 'content-range': `bytes ${start}-${end - 1}/300000` }, body };
    },
  });
  const to = two.membership.self;
  const setFault = (fault: LinkFault): void => {
    cluster.setFault(one.membership.self.id, to.id, fault);
  };
  return { clock, cluster, to, setFault, fetch: (request: PeerRequest) => one.peers.fetch(to, request, never) };
}

test('memory cluster: a flipped byte is one wrong bit at that byte of the content, in whole answers and in parts', async () => {
  const { fetch, setFault } = twoNodes();
  setFault({ type: 'flip', atByte: 150_000 });
  const expected = Uint8Array.from(content);
  expected[150_000] = content[150_000]! ^ 1;
  assert.deepEqual(await readBody((await fetch(whole)).body!), expected);
  assert.deepEqual(await readBody((await fetch(part)).body!), expected.subarray(100_000, 200_000));
});

test('memory cluster: a cut hits parts that hold its byte, and no part behind it', async () => {
  const { fetch, setFault } = twoNodes();
  setFault({ type: 'cut', atByte: 50_000 });
  await assert.rejects(readBody((await fetch(whole)).body!), (error) => errorCodeOf(error) === 'PEER_CLOSED');
  assert.equal((await readBody((await fetch(part)).body!)).byteLength, 100_000);
  setFault({ type: 'cut', atByte: 200_000 });
  assert.equal((await readBody((await fetch(part)).body!)).byteLength, 100_000);
});

test('memory cluster: 200 for 206, and a Content-Range that names another part', async () => {
  const { fetch, setFault } = twoNodes();
  setFault({ type: 'whole-for-range' });
  const answer = await fetch(part);
  assert.equal(answer.status, 200);
  assert.equal((await readBody(answer.body!)).byteLength, 300_000);
  setFault({ type: 'wrong-content-range' });
  const wrong = await fetch(part);
  assert.equal(wrong.headers['content-range'], 'bytes 100001-200000/300000');
  await wrong.body?.return();
});

test('memory cluster: a slow link takes its time, and leaves no timer when it is given up', async () => {
  const { clock, cluster, fetch, setFault } = twoNodes();
  setFault({ type: 'slow', bytesPerSecond: 100_000 });
  const fromUs = clock.nowUs();
  await clock.settle(readBody((await clock.settle(fetch(whole))).body!));
  assert.equal(clock.nowUs() - fromUs, 3_000_000);
  const { body } = await fetch(whole);
  void body!.next().catch(() => undefined);
  await clock.advance(100);
  await body!.return();
  assert.equal(clock.pending() + cluster.pending(), 0);
});

test('memory cluster: a node that stops breaks its bodies off, and answers again after a restart that is listening', async () => {
  const { cluster, to, fetch } = twoNodes();
  const { body } = await fetch(whole);
  await body!.next();
  cluster.stop(to.id);
  await assert.rejects(body!.next(), (error) => errorCodeOf(error) === 'PEER_CLOSED');
  await assert.rejects(fetch(whole), (error) => errorCodeOf(error) === 'DIAL_REFUSED');
  const again = cluster.restart(to.id);
  await assert.rejects(fetch(whole), (error) => errorCodeOf(error) === 'DIAL_REFUSED');
  again.listen({ answer: async () => ({ status: 404, headers: {} }) });
  assert.equal((await fetch(whole)).status, 404);
  assert.equal(cluster.pending(), 0);
});
