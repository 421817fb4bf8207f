import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesPerSecond, createStage, megabyte } from './testing/stage.ts';
import type { Stage } from './testing/stage.ts';

const mebibyte = 1_048_576;
const hour = 3_600_000_000;
const options = (downloadsAtOnce: number) => ({
  layerBytes: [64 * mebibyte],
  runtime: { containerd: { fetchBufferBytes: 8 * mebibyte, downloadsAtOnce } },
});

function layerRequests(stage: Stage, of?: string): readonly (string | undefined)[] {
  const requests = stage.asked.filter((asked) => asked.what === 'GET blobs/0' && (of === undefined || asked.of === of));
  return requests.map(({ range }) => range);
}

test('parallel ranges: the first asks from 0, the others from their own place on, all with an open end, each hung up after its part', async () => {
  const stage = createStage(options(3));
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'ok');
  assert.deepEqual(
    layerRequests(stage),
    Array.from({ length: 8 }, (_, part) => `bytes=${part * 8 * mebibyte}-`),
  );
  // What has come beyond a part before its connection is closed is wasted, and bounded by the sockets' buffers.
  assert.ok(stage.received() >= 64 * mebibyte && stage.received() < 100 * mebibyte, `${stage.received()} bytes`);
  assert.ok(pull.endUs() >= (64 * mebibyte * 1_000_000) / bytesPerSecond);
});

test('parallel ranges: a 200 to the first takes one stream, and that one survives a cut', async () => {
  const stage = createStage(options(8));
  const [layer] = stage.image.layers;
  stage.fault('mirror', ({ request: { target, headers } }) => {
    if (!target.includes(layer?.digest ?? '-')) return undefined;
    return headers['range'] === 'bytes=0-' ? { kind: 'ignore-range' } : { kind: 'status', status: 404 };
  });
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'ok');
  assert.deepEqual(layerRequests(stage), ['bytes=0-']);
});

test('parallel ranges: an error of a later part fails the whole pull, no other host is asked', async () => {
  for (const status of [404, 503]) {
    const stage = createStage(options(3));
    const part = `bytes=${16 * mebibyte}-`;
    stage.fault('mirror', ({ request }) =>
      request.headers['range'] === part ? { kind: 'status', status } : undefined,
    );
    const pull = stage.pullAt(0);
    await stage.run(hour);
    assert.equal(pull.outcome(), 'parts-failed');
    assert.deepEqual(layerRequests(stage, 'upstream'), []);
  }
});

test('parallel ranges: FIN in a part while an earlier one flows fails the pull; in the one that is read it is resumed, the hosts from the first one on', async () => {
  for (const [part, outcome] of [
    [16, 'parts-failed'],
    [0, 'ok'],
  ] as const) {
    const stage = createStage(options(3));
    let cuts = 0;
    stage.fault('mirror', ({ request }) => {
      if (
        request.headers['range'] !== `bytes=${part * mebibyte}-` ||
        !request.target.includes(stage.image.layers[0]?.digest ?? '-')
      )
        return undefined;
      cuts += 1;
      return cuts === 1 ? { kind: 'cut', atByte: mebibyte } : undefined;
    });
    const pull = stage.pullAt(0);
    await stage.run(hour);
    assert.equal(pull.outcome(), outcome, `part at ${part} MiB`);
    if (outcome === 'ok') assert.ok(layerRequests(stage).includes(`bytes=${mebibyte}-`));
  }
});

test('parallel ranges: a layer that is no larger than the buffer comes in one stream', async () => {
  const stage = createStage({ ...options(3), layerBytes: [4 * megabyte] });
  const pull = stage.pullAt(0);
  await stage.run(hour);
  assert.equal(pull.outcome(), 'ok');
  assert.deepEqual(layerRequests(stage), ['bytes=0-']);
});
