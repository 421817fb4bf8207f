import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertAtRest } from '../testing/assertions.ts';
import { testBlob } from '../testing/blob.ts';
import type { PeerScript } from '../testing/scripted-peers.ts';
import { createTestNode } from '../testing/test-node.ts';

/** L8 over random liars, faults and clients. A failing run prints its seed and path; give them to `fc.assert` as `{ seed, path }` to see it again. */

const blob = testBlob(200);
const offset = fc.nat(199);
const honest: fc.Arbitrary<PeerScript> = fc.record(
  {
    cutAt: offset,
    stallAt: offset,
    selfCheck: fc.constantFrom('right' as const),
    chunkUs: fc.constantFrom(100, 1_000),
  },
  { requiredKeys: [] },
);
const lying: fc.Arbitrary<PeerScript> = fc.record(
  { flipAt: offset, cutAt: offset, selfCheck: fc.constantFrom('right' as const, 'wrong' as const) },
  { requiredKeys: ['flipAt'] },
);
const habits = fc.record(
  {
    range: fc.constantFrom('bytes=0-', 'bytes=70-', 'bytes=-50', 'bytes=10-90'),
    hangUpAfterBytes: fc.constantFrom(0, 16, 100),
    chunkUs: fc.constant(500),
  },
  { requiredKeys: [] },
);
const cases = fc.record({
  honest: fc.array(honest, { maxLength: 3 }),
  liars: fc.array(lying, { maxLength: 2 }),
  own: fc.constantFrom<PeerScript | undefined>(undefined, undefined, {}, { cutAt: 90 }, { flipAt: 20 }),
  policy: fc.constantFrom('suspect' as const, 'always' as const),
  pulls: fc.array(habits, { minLength: 1, maxLength: 5 }),
  pauseUs: fc.constantFrom(0, 1_000_000, 61_000_000),
  seed: fc.nat(1_000),
});

test('verification: no honest source is ever named, no wrong body is whole where all are hashed, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (given) => {
      const node = createTestNode({ blobVerification: given.policy, seed: given.seed });
      node.peers.add(blob);
      const entries = [
        ...given.honest.map((script, index) => [`honest${index}`, script] as const),
        ...given.liars.map((script, index) => [`liar${index}`, script] as const),
      ];
      node.holders(Object.fromEntries(entries));
      if (given.own !== undefined) node.store.add(blob, given.own);
      const liars = new Set(given.liars.map((_, index) => `liar${index}`));
      if (given.own?.flipAt !== undefined) liars.add('local');
      for (const pull of given.pulls) {
        const outcome = await node.get(blob, pull);
        const isWhole = outcome.status === 200 && outcome.bytes.length === 200;
        if (given.policy === 'always' && isWhole) assert.deepEqual(Buffer.from(outcome.bytes), Buffer.from(blob.bytes));
        await node.clock.advance(given.pauseUs);
        assertAtRest(node);
      }
      const named = node.pulls.flatMap((event) => (event.type === 'liar' ? [event.source] : []));
      assert.deepEqual(
        named.filter((source) => !liars.has(source)),
        [],
      );
      assert.ok(node.withdrawn.length === 0 || liars.has('local'));
    }),
    { numRuns: 500 },
  );
});

test('verification: with an honest source that proves itself a client that asks again has the right bytes at last', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(lying, { minLength: 1, maxLength: 3 }), fc.nat(1_000), async (liars, seed) => {
      const node = createTestNode({ seed });
      node.peers.add(blob);
      const whole = liars.map(({ cutAt: _cutAt, ...script }) => script);
      node.holders({
        ...Object.fromEntries(whole.map((script, index) => [`liar${index}`, script])),
        honest: { selfCheck: 'right' },
      });
      for (let tries = 0; tries < 2 * liars.length + 1; tries += 1) {
        const outcome = await node.get(blob);
        if (outcome.end === 'clean' && Buffer.from(outcome.bytes).equals(Buffer.from(blob.bytes))) return;
        await node.clock.advance(1_000_000);
      }
      assert.fail('still wrong');
    }),
    { numRuns: 200 },
  );
});
