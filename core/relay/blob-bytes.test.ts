import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testBlob } from '../testing/blob.ts';
import { assertAtRest, assertPart } from '../testing/assertions.ts';
import type { PeerScript } from '../testing/scripted-peers.ts';
import { createTestNode } from '../testing/test-node.ts';
import type { TestNode } from '../testing/test-node.ts';

/** L1, L2, L5: bytes, ends and ranges of blobs that come from peers. */

const sizeBytes = 200;
const blob = testBlob(sizeBytes);

const ranges: readonly { readonly range: string | undefined; readonly start: number; readonly end: number }[] = [
  { range: undefined, start: 0, end: sizeBytes },
  { range: 'bytes=0-', start: 0, end: sizeBytes },
  { range: 'bytes=70-', start: 70, end: sizeBytes },
  { range: 'bytes=-90', start: 110, end: sizeBytes },
  { range: 'bytes=30-149', start: 30, end: 150 },
  { range: 'bytes=0-63', start: 0, end: 64 },
  { range: 'bytes=199-', start: 199, end: sizeBytes },
];
/** Mid-window, the edges of the first window, the ends of the blob. */
const offsets = [0, 1, 33, 63, 64, 65, 128, sizeBytes - 1, sizeBytes];

const faults: Readonly<Record<string, (at: number) => PeerScript>> = {
  cut: (at) => ({ cutAt: at }),
  stall: (at) => ({ stallAt: at }),
  'short clean end': (at) => ({ endAt: at }),
};

/** The first source fails at `at`; a healthy one stands by. Which is asked first is fixed by their zones. */
function nodeWith(first: PeerScript): TestNode {
  const node = createTestNode({ zone: 'near' });
  node.peers.add(blob);
  node.holders({ first: { ...first, member: { zone: 'near' } }, second: { member: { zone: 'far' } } });
  return node;
}

for (const [kind, script] of Object.entries(faults)) {
  test(`blob: a ${kind} at any byte of any range is continued at that byte`, async () => {
    for (const at of offsets) {
      for (const { end, range, start } of ranges) {
        const node = nodeWith(script(at));
        const outcome = await node.get(blob, range === undefined ? {} : { range });
        const where = `${kind} at ${String(at)}, ${String(range)}`;
        assertPart(outcome, blob, start, end, range !== undefined && range !== 'bytes=0-', where);
        assertAtRest(node, where);
        const asked = node.peers.requests
          .filter(({ method }) => method === 'GET')
          .map((request) => [request.member, request.range] as const);
        const fails = at < end && kind !== 'none';
        const failure = Math.max(at, start);
        for (const [member, text] of asked) {
          const [from = -1] = (text ?? '').match(/\d+/g)?.map(Number) ?? [];
          assert.ok(from >= start, `${where}: asked before the range`);
          if (member === 'second' && fails)
            assert.ok(from >= failure, `${where}: asked again for bytes that were there, ${String(text)}`);
        }
      }
    }
  });
}

test('windows: of one byte now and then, as a campaign may ask for, the bytes are the same; and rare places are reached', async () => {
  const reached = new Set<string>();
  let calls = 0;
  const probe = {
    buggify: () => (calls += 1) % 3 !== 0,
    reach: (name: string) => void reached.add(name),
    sometimes: (name: string, condition: boolean) => void (condition && reached.add(name)),
  };
  for (const first of [{}, { cutAt: 50 }, { stallAt: 100 }, { headUs: 200_000 }]) {
    const node = createTestNode({ zone: 'near', probe });
    node.peers.add(blob);
    node.holders({ first: { ...first, member: { zone: 'near' } }, second: { member: { zone: 'far' } } });
    assertPart(await node.get(blob), blob, 0, sizeBytes, false);
    assertAtRest(node);
  }
  assert.deepEqual([...reached].sort(), ['relay: a hedge gave the head', 'relay: a source failed in mid-body']);
});
