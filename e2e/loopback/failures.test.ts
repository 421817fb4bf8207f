import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { test } from 'node:test';
import { blobPath, PullError } from '../../testbed/index.ts';
import type { PullProgress } from '../../testbed/index.ts';
import { largestOf, openFixture, sizeOf } from './cluster-fixture.ts';
import type { Fixture } from './cluster-fixture.ts';

test('failure: the holder is killed in mid-blob and another has it: the next byte comes from there', async (context) => {
  const fixture = await openFixture(context, { layersMiB: [64, 1] });
  const { events, image, pullOn, untilAdvertised, untilFound, upstream } = fixture;
  await pullOn(0);
  await upstream.cut();
  await untilFound(1);
  await pullOn(1);
  await untilAdvertised(1);
  await untilFound(2);
  const kill = killFeeder(fixture, 2);
  const result = await pullOn(2, { onProgress: kill.onProgress });
  assert.ok(await kill.done, 'somebody was killed');
  assert.deepEqual(result.bytesByHost, { mirror: sizeOf(image), upstream: 0 });
  assert.equal(result.resumes, 0, 'the client noticed nothing');
  const { digest, sizeBytes } = largestOf(image);
  const told = events[2] ?? [];
  const pullId = told.find((event) => event.type === 'start' && event.key === digest && event.method === 'GET')?.pullId;
  const runs = told.filter((event) => event.type === 'bytes').filter((event) => event.pullId === pullId);
  assert.equal(runs.length, 2);
  assert.deepEqual(
    runs.map(({ from, to }) => [from, to]),
    [
      [0, runs[0]?.to],
      [runs[0]?.to, sizeBytes],
    ],
  );
});

test('failure: the only holder is killed in mid-blob: FIN, and the client goes on upstream at that byte', async (context) => {
  const fixture = await openFixture(context, { layersMiB: [64, 1], nodes: 2 });
  const { image, pullOn, untilFound, upstream } = fixture;
  await pullOn(0);
  await untilFound(1);
  upstream.resetCounts();
  const kill = killFeeder(fixture, 1);
  const result = await pullOn(1, { onProgress: kill.onProgress });
  assert.ok(await kill.done, 'somebody was killed');
  assert.equal(result.resumes, 1);
  assert.equal(result.bytesByHost.mirror + result.bytesByHost.upstream, sizeOf(image));
  assert.ok(upstream.bytesServed() < largestOf(image).sizeBytes, 'only the rest came from upstream');
});

for (const verification of ['suspect', 'always'] as const) {
  test(`liar: one flipped byte at the only holder, verification ${verification}: the second try succeeds, the holder is named and withdraws`, async (context) => {
    const fixture = await openFixture(context, { nodes: 2, node: () => ({ blobVerification: verification }) });
    const { events, image, nodeEvents, pullOn, until, untilFound } = fixture;
    await pullOn(0);
    await untilFound(1);
    await flipByte(fixture, 0);
    const failure = await pullOn(1).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(failure instanceof PullError);
    assert.equal(failure.code, verification === 'always' ? 'RESET' : 'DIGEST_WRONG');
    const result = await pullOn(1);
    assert.equal(result.digest, image.root.digest);
    const { digest } = largestOf(image);
    const liars = (events[1] ?? []).filter((event) => event.type === 'liar');
    assert.deepEqual([...new Set(liars.map(({ source }) => source))], [fixture.node(0).running.peerId]);
    if (verification === 'always') return;
    await until(() => (nodeEvents[0] ?? []).some((event) => event.type === 'content-wrong' && event.digest === digest));
    const own = await fixture.ask(0, `/v2/${image.repository}/blobs/${digest}?ns=${image.registry}`, {
      headers: { 'x-spegel-mirrored': 'true' },
    });
    assert.equal(own.status, 404, 'the holder does not serve the file any more');
  });
}

test('honest: a client that asks twice for good bytes accuses nobody and gets them twice', async (context) => {
  const { ask, events, image, pullOn, untilFound } = await openFixture(context, { nodes: 2 });
  await pullOn(0);
  await untilFound(1);
  const path = `/v2/${image.repository}/blobs/${largestOf(image).digest}?ns=${image.registry}`;
  for (let round = 0; round < 3; round += 1) {
    const answer = await ask(1, path);
    assert.equal(answer.status, 200);
    assert.equal((await answer.arrayBuffer()).byteLength, largestOf(image).sizeBytes);
  }
  const told = events[1] ?? [];
  assert.deepEqual(
    told.filter(({ type }) => type === 'liar'),
    [],
  );
  assert.ok(
    told.some((event) => event.type === 'suspect' && event.proof === 'honest'),
    'the holder proved its file',
  );
});

test('truthful: a blob that leaves the store is withdrawn, and nobody is sent there', async (context) => {
  const { ask, image, node, pullOn, until, untilFound } = await openFixture(context, { nodes: 2 });
  await pullOn(0);
  await untilFound(1);
  const { digest } = largestOf(image);
  await node(0).layout.remove(digest);
  const path = `/v2/${image.repository}/blobs/${digest}?ns=${image.registry}`;
  await until(async () => (await ask(1, path, { method: 'HEAD' })).status === 404);
});

test('stateless: a node that was killed comes back on its directory and feeds the others again', async (context) => {
  const fixture = await openFixture(context, { nodes: 2 });
  const { cluster, image, pullOn, untilFound, upstream } = fixture;
  await pullOn(0);
  await upstream.cut();
  await untilFound(1);
  await cluster.restart(0);
  await untilFound(1);
  const result = await pullOn(1);
  assert.deepEqual(result.bytesByHost, { mirror: sizeOf(image), upstream: 0 });
});

test('kill: a node that is stopping gracefully is stopped at once', async (context) => {
  const { ask, image, node, pullOn, untilFound } = await openFixture(context, { layersMiB: [64], nodes: 2 });
  await pullOn(0);
  await untilFound(1);
  const { digest } = largestOf(image);
  // A client that reads nothing holds the drain up.
  const response = await ask(1, `/v2/${image.repository}/blobs/${digest}?ns=${image.registry}`);
  const closing = node(1).running.close();
  await node(1).running.kill();
  await closing;
  await assert.rejects(response.arrayBuffer());
});

/** Kills whoever feeds the node the largest blob, once a quarter of it has come. */
function killFeeder(
  { events, image, cluster }: Fixture,
  index: number,
): {
  onProgress: (progress: PullProgress) => void;
  readonly done: Promise<boolean>;
} {
  const { digest: largest } = largestOf(image);
  const state: { done: Promise<boolean> | undefined } = { done: undefined };
  return {
    onProgress: ({ digest, receivedBytes, sizeBytes }) => {
      if (state.done !== undefined || digest !== largest || receivedBytes < sizeBytes / 4) return;
      const told = events[index] ?? [];
      const pull = told.findLast((event) => event.type === 'start' && event.key === digest && event.method === 'GET');
      const head = told.findLast((event) => event.type === 'head' && event.pullId === pull?.pullId);
      const feeder = cluster.nodes.find(({ running }) => head?.type === 'head' && running.peerId === head.source);
      state.done = feeder === undefined ? Promise.resolve(false) : feeder.running.kill().then(() => true);
    },
    get done() {
      return state.done ?? Promise.resolve(false);
    },
  };
}

/** As a bad disk does it: the size stays, one byte in the middle is another. */
async function flipByte({ image, node }: Fixture, index: number): Promise<void> {
  const { digest, sizeBytes } = largestOf(image);
  const file = await open(blobPath(node(index).layout.directory, digest), 'r+');
  try {
    const at = Math.floor(sizeBytes / 2);
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  } finally {
    await file.close();
  }
}
