import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { World } from '../run/world.ts';
import type { Fault } from './fault.ts';
import { forEver, fromPeer, fromUpstream, image, knownBy, see, second } from './testing/see.ts';

test('fault slow-cpu: a holder with a fiftieth of its processor gives a fiftieth', async () => {
  const what = { kind: 'slow-cpu', times: 50 } as const;
  const { outcome, seconds } = await see([{ atUs: 20 * second - 1, target: 1, what, untilUs: forEver }]);
  assert.equal(outcome, 'ok');
  assert.ok(seconds > 1.2 && seconds < 1.5, `${seconds} s: 50 MB at 40 MB/s`);
});

test('fault latency: each packet to and from the node is later by so much', async () => {
  const plain = await see([]);
  const what = { kind: 'latency', addedUs: 40_000 } as const;
  const slow = await see([{ atUs: 19 * second, target: 1, what }]);
  assert.ok(fromPeer(slow), 'the lookup and the heads still come in time');
  assert.ok(slow.seconds > plain.seconds + 0.16, `${slow.seconds} s after ${plain.seconds} s`);
});

test('fault cut: what two nodes cannot say to each other comes from upstream; mid-body it stalls and goes on elsewhere', async () => {
  const what = { kind: 'cut', with: [0] } as const;
  assert.ok(fromUpstream(await see([{ atUs: 19 * second, target: 1, what }])));
  const late = await see([{ atUs: 20 * second + 250_000, target: 1, what }]);
  assert.equal(late.outcome, 'ok');
  assert.ok(late.seconds > 2.5 && late.seconds < 4, `${late.seconds} s: the stall bound, then the rest`);
  const mended = await see([{ atUs: 20 * second + 250_000, target: 1, what, untilUs: 21 * second }]);
  assert.ok(fromPeer(mended) && mended.seconds > 1.2, `${mended.seconds} s: three quarters of a second of silence`);
});

test('fault cut, one way: requests arrive, and no answer does', async () => {
  const what = { kind: 'cut', with: [0], way: 'out' } as const;
  const { events, outcome } = await see([{ atUs: 20 * second + 250_000, target: 1, what, untilUs: 60 * second }]);
  assert.equal(outcome, 'ok');
  assert.ok(events.some((event) => event.type === 'mirror-pull' && event.event.type === 'stall'));
});

test('fault http with every: each second exchange only', async () => {
  const what = { kind: 'http', fault: { kind: 'status', status: 503 }, every: 2 } as const;
  const { events } = await see([{ atUs: 0, target: 1, what }]);
  const heads = events.flatMap((event) => (event.type === 'head' && event.status === 503 ? [event.exchange] : []));
  const asked = events.flatMap((event) =>
    event.type === 'request' && event.from.role === 'mirror' && event.to.host.name === 'n1' ? [event.exchange] : [],
  );
  assert.ok(asked.length > 3);
  assert.deepEqual(
    heads,
    asked.filter((_, index) => index % 2 === 0).filter((id) => heads.includes(id)),
  );
  assert.ok(asked.every((id, index) => index % 2 === 1 || heads.includes(id)));
});

test('fault pause-node: containerd stands still too, and its pull ends so much later', async () => {
  const fault: Fault = {
    atUs: 20 * second + 100_000,
    target: 0,
    what: { kind: 'pause-node' },
    untilUs: 23 * second + 100_000,
  };
  const { outcome, seconds } = await see([fault]);
  assert.equal(outcome, 'ok');
  assert.ok(seconds > 3.3 && seconds < 4.5, `${seconds} s`);
});

test('fault vanish: the node is gone, DNS no longer names it, and who comes back has nothing', async () => {
  const gone: Fault = { atUs: 10 * second, target: 1, what: { kind: 'vanish' }, untilUs: 15 * second };
  const seen = await see([gone], {
    beginUs: 14 * second,
    look: (world) => assert.ok(!(world.directory.names.resolve('n0', world.kernel.nowUs()) ?? []).includes('n1')),
  });
  assert.ok(fromUpstream(seen));
  const again = await see([gone], { beginUs: 40 * second });
  assert.ok(fromUpstream(again), 'its store is empty');
  assert.ok(knownBy(again.world, 1).length === 2, 'it has met the others anew');
});

test('fault absent: nobody knows the node until it joins, and then all do', async () => {
  const late: Fault = { atUs: 0, target: 2, what: { kind: 'absent' }, untilUs: 10 * second };
  const looks: (readonly string[])[] = [];
  await see([late], { beginUs: 9 * second, look: (world) => void looks.push(knownBy(world, 0)) });
  await see([late], { beginUs: 12 * second, look: (world) => void looks.push(knownBy(world, 0)) });
  assert.deepEqual(looks, [['n1'], ['n1', 'n2']]);
});

test('fault rename: who starts there is somebody else, and whoever knew the old one goes on knowing it', async () => {
  const fault: Fault = { atUs: 5 * second, target: 1, what: { kind: 'rename' }, untilUs: 6 * second };
  const looks: (readonly string[])[] = [];
  const seen = await see([fault], { beginUs: 10 * second, look: (world) => void looks.push(knownBy(world, 0)) });
  assert.ok(fromPeer(seen), 'the new one advertises what the node has');
  assert.deepEqual(looks, [['n1', 'n2', 'n1-1']]);
});

test('fault crash of all at once, and a cold start: all meet again within seconds, and records are told anew', async () => {
  const faults = [0, 1, 2].map((target): Fault => ({
    atUs: 10 * second,
    target,
    what: { kind: 'crash' },
    untilUs: 12 * second,
  }));
  const seen = await see(faults, {
    beginUs: 15 * second,
    look: (world) => {
      for (const node of [0, 1, 2]) assert.equal(knownBy(world, node).length, 2);
    },
  });
  assert.ok(fromPeer(seen));
});

for (const [what, isFound] of [
  [{ kind: 'lost' }, false],
  [{ kind: 'refused' }, false],
  [{ kind: 'empty' }, false],
  [{ kind: 'slow', delayUs: 20_000 }, true],
  [{ kind: 'again', delayUs: 2 * second }, true],
  [{ kind: 'hostile' }, true],
] as const) {
  test(`fault records ${what.kind}, at all: what is there is ${isFound ? 'found' : 'not found'}`, async () => {
    const nodes = 24;
    const faults = Array.from({ length: nodes }, (_, target): Fault => {
      return { atUs: 0, target, what: { kind: 'records', fault: what } };
    });
    const seen = await see(faults, { nodes });
    assert.ok(isFound ? fromPeer(seen) : fromUpstream(seen), `${seen.outcome}, ${seen.upstream} copies`);
  });
}

test('fault records stale: what a node has lost is asked for in vain, and the pull succeeds', async () => {
  const faults: Fault[] = [0, 1, 2].map((target) => ({
    atUs: 0,
    target,
    what: { kind: 'records', fault: { kind: 'stale' } },
  }));
  const seen = await see([...faults, { atUs: 15 * second, target: 1, what: { kind: 'remove-layers' } }]);
  assert.ok(fromUpstream(seen));
  const digest = seen.world.images.get(image.name)?.layers[0]?.digest ?? 'no layer';
  const inVain = seen.events.filter(
    (event) => event.type === 'request' && event.to.host.name === 'n1' && event.request.target.includes(digest),
  );
  assert.ok(inVain.some((event) => event.type === 'request' && event.from.host.name === 'n0'));
});

test('fault island: two that do not know each other find nothing, and find it when they have met', async () => {
  const apart = (untilUs: number): Fault[] => [
    { atUs: 0, target: 0, what: { kind: 'island', with: [] }, untilUs },
    { atUs: 0, target: 1, what: { kind: 'island', with: [2] }, untilUs },
  ];
  assert.ok(fromUpstream(await see(apart(forEver), { beginUs: 180 * second })));
  assert.ok(fromPeer(await see(apart(30 * second), { beginUs: 180 * second })));
});

test('fault names: a mirror that starts while DNS fails is alone; one that is told old news or a part meets the rest by gossip', async () => {
  const crash: Fault = { atUs: 4 * second, target: 0, what: { kind: 'crash' }, untilUs: 5 * second };
  const known = async (fault: (Fault['what'] & { kind: 'names' })['fault']): Promise<number> => {
    const looks: number[] = [];
    await see([crash, { atUs: 0, target: 0, what: { kind: 'names', fault }, untilUs: forEver }], {
      beginUs: 30 * second,
      nodes: 6,
      look: (world) => void looks.push(knownBy(world, 0).length),
    });
    return looks[0] ?? -1;
  };
  assert.equal(await known({ kind: 'truncate', entriesMax: 2 }), 5);
  assert.equal(await known({ kind: 'lag', lagUs: 3_600 * second }), await known({ kind: 'fail' }));
});

test('fault drift: the wall clock runs away, and is right again afterwards; monotonic time is what it was', async () => {
  const looks: number[] = [];
  const fault: Fault = {
    atUs: second,
    target: 0,
    what: { kind: 'drift', usPerSecond: 1_000 },
    untilUs: 21 * second,
  };
  const look = (world: World): void => {
    const { drift, offsetUs } = world.nodes[0]?.wall ?? { offsetUs: -1 };
    looks.push(drift === undefined ? offsetUs : ((world.kernel.nowUs() - drift.sinceUs) * drift.usPerSecond) / second);
  };
  await see([fault], { beginUs: 20 * second, look });
  await see([fault], { beginUs: 22 * second, look });
  assert.deepEqual(looks, [19_000, 0]);
});
