import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { World } from '../run/world.ts';
import type { Fault, FaultKind } from './fault.ts';
import { forEver, fromPeer, fromUpstream, image, knownBy, megabyte, see, second } from './testing/see.ts';
import type { Seen } from './testing/see.ts';

/** From a moment before the pull on. */
const atHolder = (what: FaultKind, atUs = 20 * second - 1): Fault => ({ atUs, target: 1, what, untilUs: forEver });

const stepsOf = ({ events }: Seen, node: string) =>
  events.flatMap((event) => (event.type === 'mirror-pull' && event.node === node ? [event.event] : []));

test('fault read-error: the holder gives what comes before the byte, and no more; the rest comes from upstream, once', async () => {
  const seen = await see([atHolder({ kind: 'read-error', atByte: 20 * megabyte })]);
  assert.equal(seen.outcome, 'ok');
  // What is read at once ends at a window.
  assert.ok(seen.upstream > 0.6 && seen.upstream < 0.67, `${seen.upstream} copies: 30 of 50 MB`);
  assert.ok(seen.events.some((event) => event.type === 'mirror-node' && event.event.type === 'store-failed'));
});

test('fault read-error: another holder goes on at that byte, and none comes from upstream', async () => {
  const pulls = [second, 6 * second, 20 * second].map((atUs, order) => ({
    atUs,
    node: (order + 1) % 3,
    image: image.name,
  }));
  const cluster = { zones: 2, zoneOf: ['a', 'a', 'b'] };
  const seen = await see([atHolder({ kind: 'read-error', atByte: 20 * megabyte })], { cluster, pulls });
  assert.ok(fromPeer(seen));
  const given = stepsOf(seen, 'n0').flatMap((step) => (step.type === 'bytes' && step.to > megabyte ? [step] : []));
  assert.deepEqual(
    given.map(({ source }) => source),
    ['n1', 'n2'],
  );
});

test('fault truncate: a file that is too short is not served at all, and the pull succeeds', async () => {
  const seen = await see([atHolder({ kind: 'truncate', toBytes: 20 * megabyte })]);
  assert.ok(fromUpstream(seen));
  const mended = await see([{ ...atHolder({ kind: 'truncate', toBytes: 10 }, 10 * second), untilUs: 11 * second }]);
  assert.ok(fromPeer(mended), 'the file is whole again');
});

test('fault slow-disk: the holder gives its bytes as fast as it can read them', async () => {
  const seen = await see([atHolder({ kind: 'slow-disk', bytesPerSecond: 10 * megabyte })]);
  assert.ok(fromPeer(seen));
  assert.ok(seen.seconds > 4.9 && seen.seconds < 5.6, `${seen.seconds} s: 50 MB at 10 MB/s`);
});

for (const [what, isFound] of [
  [{ kind: 'store-events', how: 'lost' }, false],
  [{ kind: 'store-events', how: 'delay', delayUs: 30 * second }, false],
  [{ kind: 'store-events', how: 'delay', delayUs: 5 * second }, true],
  [{ kind: 'store-events', how: 'gap' }, true],
  [{ kind: 'store-events', how: 'duplicate' }, true],
  [{ kind: 'store-events', how: 'reorder', delayUs: 5 * second }, true],
] as const) {
  test(`fault store-events ${what.how} ${'delayUs' in what ? `by ${what.delayUs / second} s` : ''}: what a holder pulled is ${isFound ? 'found' : 'not found yet'}`, async () => {
    const seen = await see([atHolder(what, 0)]);
    assert.ok(isFound ? fromPeer(seen) : fromUpstream(seen), `${seen.outcome}, ${seen.upstream} copies`);
  });
}

test('fault store-events lost: all is listed again once a minute', async () => {
  const what = { kind: 'store-events', how: 'lost' } as const;
  assert.ok(fromPeer(await see([atHolder(what, 0)], { beginUs: 65 * second })));
});

test('fault forget: it knows them no longer, and meets them again by gossip', async () => {
  const fault: Fault = {
    atUs: 10 * second,
    target: 0,
    what: { kind: 'forget', members: [1, 2] },
    untilUs: 11 * second,
  };
  const looks: number[] = [];
  const look = (world: World): void => void looks.push(knownBy(world, 0).length);
  await see([fault], { beginUs: 10 * second + 1, look });
  await see([fault], { beginUs: 100 * second, look });
  assert.deepEqual(looks, [0, 2]);
});

test('fault records quota: who has no room for anybody keeps nothing, and nothing is found', async () => {
  const nodes = 24;
  const all = Array.from({ length: nodes }, (_, target): Fault => {
    return { atUs: 0, target, what: { kind: 'records', fault: { kind: 'quota' } } };
  });
  const seen = await see(all, { nodes });
  assert.ok(fromUpstream(seen), `${seen.outcome}, ${seen.upstream} copies`);
  const refused = seen.events.some(
    (event) =>
      event.type === 'mirror-node' &&
      event.event.type === 'advertise-failed' &&
      event.event.reason === 'QUOTA_EXCEEDED',
  );
  assert.ok(refused);
});

test('fault records self: who is told of itself as a holder does not ask itself, and asks whoever told it so, in vain', async () => {
  const nodes = 24;
  const all = Array.from({ length: nodes }, (_, target): Fault => {
    return { atUs: 0, target, what: { kind: 'records', fault: { kind: 'self' } } };
  });
  const seen = await see(all, { nodes });
  assert.equal(seen.outcome, 'ok');
  const asked = seen.events.flatMap((event) =>
    event.type === 'request' && event.from.role === 'mirror' && event.from.host.name === 'n0'
      ? [event.to.host.name]
      : [],
  );
  assert.ok(asked.length > 0 && !asked.includes('n0'), asked.join());
});
