import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultLimits } from '../limits.ts';
import { parseRange, resolveRange } from '../requests/range.ts';
import { assertAtRest } from '../testing/assertions.ts';
import { manifestOf, testBlob } from '../testing/blob.ts';
import type { TestBlob } from '../testing/blob.ts';
import type { PeerScript } from '../testing/scripted-peers.ts';
import { scriptedMember } from '../testing/scripted-peers.ts';
import type { StoreScript } from '../testing/faulty-store.ts';
import { createTestNode, smallWindows } from '../testing/test-node.ts';
import type { Outcome, TestNode } from '../testing/test-node.ts';

/**
 * L1, L2, L3, L5, L11 over random sources with random faults and random requests. A failing run prints its seed and path; give them to `fc.assert`
 * as `{ seed, path }` to see it again.
 */

interface Case {
  readonly sizeBytes: number;
  readonly range: string | undefined;
  /** Each member's behaviour, request by request; the last one stays. */
  readonly sources: readonly {
    readonly scripts: readonly PeerScript[];
    readonly afterUs: number;
    readonly zone: string;
  }[];
  readonly local: StoreScript | undefined;
  readonly sizeIsKnown: boolean;
  readonly readerUs: number | undefined;
  readonly seed: number;
}

const offset = fc.oneof(fc.nat(220), fc.constantFrom(0, 63, 64, 65, 127, 128, 199, 200));
const pace = fc.record(
  {
    chunkBytes: fc.integer({ min: 1, max: 80 }),
    chunkUs: fc.constantFrom(0, 50, 1_000),
    headUs: fc.constantFrom(0, 1_000, 140_000, 200_000),
  },
  { requiredKeys: [] },
);
/** Faults that never give a wrong byte for a right one: lies about bytes are verification's, and tested there. */
const fault: fc.Arbitrary<PeerScript> = fc.oneof(
  fc.constantFrom<PeerScript>(
    { refuse: true },
    { dialTimeout: true },
    { silent: true },
    { status: 404 },
    { status: 503 },
    { status: 416 },
    { status: 500 },
  ),
  fc.record({ cutAt: offset }),
  fc.record({ stallAt: offset }),
  fc.record({ endAt: offset }),
  fc.record({ longBy: fc.integer({ min: 1, max: 100 }) }),
  fc.record({ rangeShift: fc.integer({ min: -3, max: 3 }) }),
  fc.record({ digest: fc.constant(testBlob(10, 77).digest) }),
  fc.constant<PeerScript>({ ignoreRange: true }),
);
const script: fc.Arbitrary<PeerScript> = fc
  .tuple(fc.option(fault, { nil: {} }), pace)
  .map(([a, b]) => ({ ...b, ...a }));
const range = fc.oneof(
  fc.constantFrom(undefined, 'bytes=0-'),
  fc.nat(220).map((first) => `bytes=${first}-`),
  fc.nat(220).map((length) => `bytes=-${length}`),
  fc.tuple(fc.nat(220), fc.nat(220)).map(([first, length]) => `bytes=${first}-${first + length}`),
);
const cases: fc.Arbitrary<Case> = fc.record({
  sizeBytes: fc.oneof(fc.nat(220), fc.constantFrom(0, 1, 64, 128, 200)),
  range,
  sources: fc.array(
    fc.record({
      scripts: fc.array(script, { minLength: 1, maxLength: 3 }),
      afterUs: fc.constantFrom(0, 0, 0, 1_000, 60_000),
      zone: fc.constantFrom('near', 'far'),
    }),
    { maxLength: 5 },
  ),
  local: fc.option(
    fc.oneof(
      fc.record({ cutAt: offset }),
      fc.record({ stallAt: offset }),
      fc.constantFrom<StoreScript>({}, { hangs: 'open' }, { openFails: true }),
    ),
    {
      nil: undefined,
      freq: 3,
    },
  ),
  sizeIsKnown: fc.boolean(),
  readerUs: fc.constantFrom(undefined, undefined, 10, 100_000),
  seed: fc.nat(1_000),
});

async function run(given: Case): Promise<{ node: TestNode; outcome: Outcome; blob: TestBlob }> {
  const blob = testBlob(given.sizeBytes);
  const node = createTestNode({ zone: 'near', seed: given.seed });
  node.peers.add(blob);
  if (given.local !== undefined) node.store.add(blob, given.local);
  given.sources.forEach(({ scripts }, index) => {
    node.peers.script(`s${index}`, (_request, count) => scripts[Math.min(count, scripts.length - 1)] ?? {});
  });
  node.lookup.set(
    given.sources.map(({ afterUs, zone }, index) => ({ member: scriptedMember(`s${index}`, { zone }), afterUs })),
  );
  if (given.sizeIsKnown)
    node.sizes.learn(manifestOf({ layers: [{ digest: blob.digest, size: blob.sizeBytes }] }).bytes);
  const outcome = await node.get(blob, {
    ...(given.range === undefined ? {} : { range: given.range }),
    ...(given.readerUs === undefined ? {} : { chunkUs: given.readerUs }),
  });
  return { node, outcome, blob };
}

const isHealthy = ({ scripts }: Case['sources'][number]): boolean =>
  scripts.every(
    (each) =>
      Object.keys(each).every((key) => ['chunkBytes', 'chunkUs', 'headUs', 'ignoreRange'].includes(key)) &&
      each.ignoreRange !== true,
  );

function assertLaws(given: Case, { blob, node, outcome }: Awaited<ReturnType<typeof run>>): void {
  const expected = resolveRange(parseRange(given.range), blob.sizeBytes, { mirrored: false });
  const [start, end] =
    expected.type === 'part' ? [expected.start, expected.end] : [0, expected.type === 'whole' ? blob.sizeBytes : 0];
  const isPromised = outcome.status === 200 || outcome.status === 206;
  if (isPromised) {
    assert.equal(outcome.status, expected.type === 'part' ? 206 : 200);
    assert.equal(outcome.headers['content-length'], String(end - start));
    assert.deepEqual(
      Buffer.from(outcome.bytes),
      Buffer.from(blob.bytes.subarray(start, start + outcome.bytes.length)),
      'L1',
    );
    assert.equal(outcome.end === 'clean', outcome.bytes.length === end - start, 'L2');
  } else {
    assert.ok(
      outcome.status === 404 || (outcome.status === 416 && expected.type === 'unsatisfiable'),
      `status ${outcome.status}`,
    );
  }
  if (given.sources.some(isHealthy) || isEmptyObject(given.local)) {
    assert.equal(outcome.end, 'clean', 'a healthy source is there and the body is not whole');
    assert.equal(outcome.status, expected.type === 'unsatisfiable' ? 416 : expected.type === 'part' ? 206 : 200);
  }
  const windows = Math.ceil((end - start) / (smallWindows.windowBytes ?? 1)) + 1;
  const requestsMax = (windows + given.sources.length + 2) * (defaultLimits.attemptsMax + 2);
  assert.ok(node.peers.requests.length <= requestsMax, `L11: ${node.peers.requests.length} requests`);
  const readerUs = (given.readerUs ?? 0) * 221;
  const boundUs =
    2 * defaultLimits.stallTimeoutUs +
    (given.sources.length + 1) * (defaultLimits.stallTimeoutUs + 2 * defaultLimits.blobHeadTimeoutUs) +
    windows * 200_000 +
    1_000 * 221 +
    2 * defaultLimits.peerHeadTimeoutUs * (given.sources.length + 1);
  assert.ok(outcome.tookUs <= boundUs + readerUs, `L3: ${outcome.tookUs}`);
  assert.ok(node.peers.openMax() <= defaultLimits.racingHeadsMax + 2, `L11: ${node.peers.openMax()} at once`);
  assertAtRest(node);
  assertEvents(node, outcome, isPromised ? start : 0);
}

function isEmptyObject(value: object | undefined): boolean {
  return value !== undefined && Object.keys(value).length === 0;
}

/** S14: the runs of bytes in the events are the bytes sent, end to end. */
function assertEvents(node: TestNode, outcome: Outcome, start: number): void {
  const isPromised = outcome.status === 200 || outcome.status === 206;
  let at = start;
  for (const event of node.pulls) {
    if (event.type !== 'bytes') continue;
    assert.equal(event.from, at, 'L17: runs of bytes follow each other');
    at = event.to;
  }
  const sent = isPromised ? outcome.bytes.length : 0;
  assert.equal(at - start, sent, 'L17: the events add up to the bytes sent');
  const ends = node.pulls.flatMap((event) =>
    event.type === 'end' ? [{ reason: event.reason, bytes: event.bytes }] : [],
  );
  const reason = !isPromised
    ? outcome.status === 404
      ? 'not-found'
      : 'rejected'
    : outcome.end === 'clean'
      ? 'complete'
      : 'cut';
  assert.deepEqual(ends, [{ reason, bytes: sent }]);
}

test('blob: whatever sources do, what is delivered is right, ends as it should, in time, and leaves nothing', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (given) => {
      assertLaws(given, await run(given));
    }),
    { numRuns: 1_500 },
  );
});

test('blob: one more honest holder never breaks a pull that went well', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (given) => {
      const { outcome } = await run(given);
      if (outcome.end !== 'clean' || outcome.status >= 300) return;
      const more = await run({ ...given, sources: [...given.sources, { scripts: [{}], afterUs: 0, zone: 'near' }] });
      assert.deepEqual([more.outcome.status, more.outcome.end], [outcome.status, 'clean']);
      assert.deepEqual(Buffer.from(more.outcome.bytes), Buffer.from(outcome.bytes));
    }),
    { numRuns: 300 },
  );
});
