import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { testBlob } from '../testing/blob.ts';
import { createBoundedMap } from './bounded-map.ts';
import { createFailureMemory } from './failure-memory.ts';
import { createSizeMemory } from './size-memory.ts';
import { createStanding } from './standing.ts';

const second = 1_000_000;

test('bounded map: holds the newest and never more', () => {
  const map = createBoundedMap<number, number>(3);
  for (let key = 0; key < 10; key += 1) {
    map.set(key, key);
    assert.equal(map.size, Math.min(3, key + 1));
  }
  map.set(7, 70);
  map.set(10, 10);
  assert.deepEqual(
    [7, 8, 9, 10].map((key) => map.get(key)),
    [70, undefined, 9, 10],
  );
});

test('failures: the lowest offset counts, for a minute, per source and digest', async () => {
  const clock = createVirtualClock();
  const memory = createFailureMemory(clock, {
    failureMemoryUs: 60 * second,
    failureMemoryMax: 3,
    crawlMemoryUs: 600 * second,
  });
  memory.remember('d', 'a', 50);
  memory.remember('d', 'a', 70);
  assert.equal(memory.failedAt('d', 'a'), 50);
  memory.remember('d', 'a', 20);
  assert.equal(memory.failedAt('d', 'a'), 20);
  assert.equal(memory.failedAt('d', 'b'), undefined);
  assert.equal(memory.failedAt('e', 'a'), undefined);
  await clock.advance(60 * second - 1);
  assert.equal(memory.failedAt('d', 'a'), 20);
  await clock.advance(1);
  assert.equal(memory.failedAt('d', 'a'), undefined);
  memory.remember('d', 'a', 90);
  assert.equal(memory.failedAt('d', 'a'), 90, 'a failure that is over does not count any more');
});

test('failures: the wall clock changes nothing', async () => {
  const clock = createVirtualClock();
  const memory = createFailureMemory(clock, {
    failureMemoryUs: 60 * second,
    failureMemoryMax: 3,
    crawlMemoryUs: 600 * second,
  });
  memory.remember('d', 'a', 1);
  clock.shiftWall(1e15);
  assert.equal(memory.failedAt('d', 'a'), 1);
  clock.shiftWall(-2e15);
  await clock.advance(60 * second);
  assert.equal(memory.failedAt('d', 'a'), undefined);
});

test('failures: bounded, the oldest goes', () => {
  const memory = createFailureMemory(createVirtualClock(), {
    failureMemoryUs: second,
    failureMemoryMax: 2,
    crawlMemoryUs: second,
  });
  for (const source of ['a', 'b', 'c']) memory.remember('d', source, 1);
  assert.deepEqual(
    ['a', 'b', 'c'].map((source) => memory.failedAt('d', source)),
    [undefined, 1, 1],
  );
});

test('failures: who crawls is given up once, for all that was under way then, and again when that is long ago', async () => {
  const clock = createVirtualClock();
  const limits = { failureMemoryUs: 60 * second, failureMemoryMax: 3, crawlMemoryUs: 600 * second };
  const memory = createFailureMemory(clock, limits);
  const beforeUs = clock.nowUs();
  await clock.advance(10 * second);
  assert.equal(memory.crawled('sha256:x', 'a', 100, beforeUs), true);
  assert.equal(memory.failedAt('sha256:x', 'a'), 100);
  await clock.advance(second);
  const laterUs = clock.nowUs();
  assert.equal(memory.crawled('sha256:x', 'a', 50, beforeUs), true, 'it was under way too');
  assert.equal(memory.crawled('sha256:x', 'a', 10, laterUs), false);
  assert.equal(memory.failedAt('sha256:x', 'a'), 50);
  assert.equal(memory.crawled('sha256:y', 'a', 10, laterUs), true, 'another content');
  await clock.advance(600 * second);
  assert.equal(memory.crawled('sha256:x', 'a', 10, laterUs), true);
});

const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const digests = [1, 2, 3, 4, 5, 6].map((seed) => testBlob(8, seed).digest);
const [a = '', b = '', c = '', d = '', e = '', f = ''] = digests;

test('sizes: every kind of manifest teaches those of what it points at', () => {
  const memory = createSizeMemory({ sizeMemoryMax: 100 });
  memory.learn(
    text({
      config: { digest: a, size: 1 },
      layers: [
        { digest: b, size: 2 },
        { digest: c, size: 0 },
      ],
    }),
  );
  memory.learn(text({ manifests: [{ digest: d, size: 4 }], subject: { digest: e, size: 5 } }));
  memory.learn(text({ blobs: [{ digest: f, size: 6 }] }));
  assert.deepEqual(
    digests.map((digest) => memory.sizeBytes(digest)),
    [1, 2, 0, 4, 5, 6],
  );
});

test('sizes: what is no manifest, or says nonsense, teaches nothing', () => {
  const memory = createSizeMemory({ sizeMemoryMax: 100 });
  const nonsense = [
    null,
    [],
    'x',
    1,
    { layers: null },
    { layers: 5 },
    { layers: [null, 7, {}] },
    { layers: { digest: a } },
  ];
  for (const value of nonsense) memory.learn(text(value));
  for (const size of [-1, 1.5, 2 ** 60, '3', null]) memory.learn(text({ layers: [{ digest: a, size }] }));
  memory.learn(new Uint8Array([0xff, 0x00]));
  memory.learn(new Uint8Array());
  assert.equal(memory.sizeBytes(a), undefined);
});

test('sizes: what is no digest is not remembered, however long it is', () => {
  const memory = createSizeMemory({ sizeMemoryMax: 100 });
  const digest = 'x'.repeat(1_000_000);
  memory.learn(text({ layers: [{ digest, size: 5 }] }));
  assert.equal(memory.sizeBytes(digest), undefined);
});

test('sizes: manifests that disagree leave the size unknown, for good', () => {
  const memory = createSizeMemory({ sizeMemoryMax: 100 });
  for (const size of [1, 2, 1, 1]) memory.learn(text({ layers: [{ digest: a, size }] }));
  assert.equal(memory.sizeBytes(a), undefined);
});

test('standing: a time-out goes last for 30 s, an overload, a refusal or a broken connection for 1 s, until it answers', async () => {
  const clock = createVirtualClock();
  const limits = { demotionUs: 30 * second, busyDemotionUs: second, membersMax: 10, speedMemoryUs: 60 * second };
  const standing = createStanding(clock, limits);
  standing.failed('a', 'HEAD_TIMEOUT');
  standing.failed('b', 'OVERLOADED');
  standing.failed('c', 'CONTENT_ABSENT');
  standing.failed('d', 'PEER_REFUSED');
  standing.failed('e', 'PEER_CLOSED');
  assert.deepEqual(['a', 'b', 'c', 'd', 'e'].map(standing.isDemoted), [true, true, false, true, true]);
  await clock.advance(second);
  assert.deepEqual(['a', 'b', 'd', 'e'].map(standing.isDemoted), [true, false, false, false]);
  standing.failed('a', 'OVERLOADED');
  await clock.advance(2 * second);
  assert.equal(standing.isDemoted('a'), true, 'a lesser fault shortens nothing');
  standing.answered('a');
  assert.equal(standing.isDemoted('a'), false);
});

test('standing: slowness is measured however few bytes came, counts at once, and is forgotten', async () => {
  const clock = createVirtualClock();
  const limits = { demotionUs: 30 * second, busyDemotionUs: second, membersMax: 10, speedMemoryUs: 60 * second };
  const standing = createStanding(clock, limits);
  standing.measured('a', 1_000_000, 10_000);
  assert.equal(standing.speedBytesPerSecond('a'), 100e6);
  standing.measured('a', 100, 50);
  assert.equal(standing.speedBytesPerSecond('a'), 100e6, 'a short run says nothing');
  standing.measured('a', 1_000, 10 * second);
  assert.ok((standing.speedBytesPerSecond('a') ?? Infinity) < 1_000, 'one good memory does not hide a crawl');
  await clock.advance(60 * second);
  assert.equal(standing.speedBytesPerSecond('a'), undefined);
});
