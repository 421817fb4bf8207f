import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policies } from './named.ts';
import type { PolicyName } from './named.ts';
import { lookForAll, megabyte, playRow, statusOf, untilFound } from './testing/containerd-stage.ts';
import type { Row, RowOutcome, Stage } from './testing/containerd-stage.ts';

/** What was measured on containerd nodes beside Spegel (docs/benchmarks.md), in the simulator: the same cluster, the same images, the same order of things. */
type Scene = Omit<Row, 'policy' | 'seed'>;

async function play(policy: PolicyName, scene: Scene, seeds: number): Promise<readonly RowOutcome[]> {
  const outcomes: RowOutcome[] = [];
  for (let seed = 1; seed <= seeds; seed += 1)
    outcomes.push(await playRow({ ...scene, policy: policies[policy], seed }));
  return outcomes;
}

function mean(outcomes: readonly RowOutcome[], figure: (outcome: RowOutcome) => number): number {
  return outcomes.reduce((sum, outcome) => sum + figure(outcome), 0) / outcomes.length;
}

/** Off by 15 % at most, as calibration is. */
function assertNear(value: number, measured: number, what: string): void {
  assert.ok(Math.abs(value / measured - 1) <= 0.15, `${what}: ${value}, measured ${measured}`);
}

function assertWithin(value: number, low: number, high: number, what: string): void {
  assert.ok(value >= low && value <= high, `${what}: ${value}, measured ${low} to ${high}`);
}

const tenLayers = Array.from({ length: 10 }, () => megabyte);
const twoHolders = { layerBytes: tenLayers, holders: [1, 2] } as const;

/** Whoever sends to the asker stands still once 30 MB are there. */
function freezeSender(): Pick<Row, 'lose' | 'onBytes'> {
  const state = { isFrozen: false };
  return {
    lose: ({ near, far }) => {
      state.isFrozen = false;
      for (const { host } of [near, far]) host.setRate(50 * megabyte);
    },
    onBytes: ({ asker, world }, received) => {
      if (state.isFrozen || received < 30 * megabyte) return;
      state.isFrozen = true;
      const call = [...world.wire.open()].find(({ from, to }) => from === asker.mirror?.party && to.role === 'mirror');
      call?.to.life.pause();
    },
  };
}

test('row C: a sender frozen in mid-blob: theirs end with the timer of containerd (measured: 318 and 308 s), ours goes on within 4 s', async () => {
  const scene: Scene = { layerBytes: [100 * megabyte], holders: [1, 2], ...freezeSender() };
  for (const [policy, measured] of [
    ['spegelLike-0.4', 318],
    ['spegelLike-0.7', 308],
  ] as const) {
    for (const { outcome, seconds } of await play(policy, scene, 2)) {
      assert.equal(outcome, 'cancelled', policy);
      assertNear(seconds, measured, policy);
    }
  }
  for (const { fromUpstream, outcome, silenceSeconds } of await play('peili', scene, 2)) {
    assert.equal(outcome, 'ok');
    assert.ok(silenceSeconds < 4 && fromUpstream === 0, `${silenceSeconds} s`);
  }
});

const unplugNear = ({ near }: Stage): void => {
  near.host.unplug();
};

test('row E: a vanished holder: v0.7 takes all from upstream, in 0.395 s; v0.4 and ours nothing', async () => {
  const scene: Scene = { ...twoHolders, after: untilFound, lose: unplugNear };
  const theirs = await play('spegelLike-0.7', scene, 4);
  assert.equal(
    mean(theirs, ({ fromUpstream }) => Math.round(100 * fromUpstream) / 100),
    1,
  );
  assertNear(
    mean(theirs, ({ seconds }) => seconds),
    0.395,
    'v0.7, seconds',
  );
  for (const { fromUpstream, seconds } of await play('peili', scene, 2)) assert.ok(fromUpstream === 0 && seconds < 1.5);
  assert.ok(mean(await play('spegelLike-0.4', scene, 4), ({ fromUpstream }) => fromUpstream) < 0.1);
});

test('row G: a dead holder and a live one: v0.7 takes half of ten layers from upstream, and 9.3 where it had found the first one alone; v0.4 and ours none', async () => {
  const kill = ({ near }: Stage): void => near.mirror?.kill();
  const layers = ({ layersFromUpstream }: RowOutcome): number => layersFromUpstream;
  assertNear(mean(await play('spegelLike-0.7', { ...twoHolders, lose: kill }, 12), layers), 5, 'never asked before');
  const asked: Scene = { ...twoHolders, after: untilFound, lose: kill };
  assertNear(mean(await play('spegelLike-0.7', asked, 4), layers), 9.33, 'asked before');
  // A lookup of more than 20 ms is a 404 in v0.4.
  assert.ok(mean(await play('spegelLike-0.4', asked, 8), layers) < 0.5);
  assert.equal(mean(await play('peili', asked, 2), layers), 0);
});

test('row I: whoever asks the slow holder keeps it to the end (measured: 11.0 s)', async () => {
  const scene: Scene = {
    layerBytes: [50 * megabyte],
    holders: [1, 2],
    lose: ({ near }) => {
      near.host.setRate(5 * megabyte);
    },
  };
  for (const policy of ['spegelLike-0.4', 'spegelLike-0.7'] as const) {
    const seconds = (await play(policy, scene, 4)).map((outcome) => outcome.seconds);
    assertNear(Math.max(...seconds), 11, policy);
    assert.ok(Math.min(...seconds) < 1, 'and who asks the fast one is done at once');
  }
});

test('row J: asked too early, v0.7 finds after 2.3 to 2.6 s, v0.4 after 0.07 s, ours within 0.1 s', async () => {
  const found: number[] = [];
  const scene: Scene = {
    layerBytes: [65_536, 65_536, 65_536],
    holders: [1],
    before: async (stage) => {
      for (const status of await lookForAll(stage)) assert.equal(status, 404);
    },
    after: async (stage) => {
      const sinceUs = stage.world.kernel.nowUs();
      await untilFound(stage);
      found.push((stage.world.kernel.nowUs() - sinceUs) / 1e6);
    },
    probe: () => Promise.resolve(),
  };
  const late = async (policy: PolicyName): Promise<readonly number[]> => {
    found.length = 0;
    await play(policy, scene, 4);
    return found;
  };
  for (const seconds of await late('spegelLike-0.7')) assertWithin(seconds, 2.3, 2.6, 'v0.7');
  for (const seconds of await late('spegelLike-0.4')) assertNear(seconds, 0.07, 'v0.4');
  for (const seconds of await late('peili')) assertWithin(seconds, 0, 0.1, 'ours');
});

test('row L: of eight requests at once for what one holder has, v0.7 answers up to 21 % with 404, v0.4 up to 6 %, ours none', async () => {
  const refusedOf = async (policy: PolicyName, seeds: number): Promise<readonly number[]> => {
    const refused: number[] = [];
    const probe = async (stage: Stage): Promise<void> => {
      const statuses: number[] = [];
      for (const { digest } of stage.image.layers) {
        const asks = Array.from({ length: 8 }, () => statusOf(stage, 'GET', `blobs/${digest}`));
        statuses.push(...(await Promise.all(asks)));
      }
      refused.push(statuses.filter((status) => status !== 200).length / statuses.length);
    };
    const layerBytes = Array.from({ length: 20 }, () => 65_536);
    // Looked for once, when all is known.
    const after = async (stage: Stage): Promise<void> => {
      await new Promise<void>((resolve) => void stage.world.kernel.schedule(200_000, resolve));
      await lookForAll(stage);
    };
    await play(policy, { layerBytes, holders: [1], after, probe }, seeds);
    return refused;
  };
  const theirs = await refusedOf('spegelLike-0.7', 6);
  for (const share of theirs) assertWithin(share, 0, 0.21, 'v0.7');
  assert.ok(Math.max(...theirs) > 0.01, 'it happens');
  for (const share of await refusedOf('spegelLike-0.4', 3)) assertWithin(share, 0, 0.06, 'v0.4');
  assert.deepEqual(await refusedOf('peili', 2), [0, 0]);
});

test('row V: parallel ranges from one healthy holder: of v0.7 most pulls fail (measured: 3 of 4), of v0.4 some (2 of 2), ours in none', async () => {
  const containerd = { fetchBufferBytes: 8 * 1024 * 1024, downloadsAtOnce: 8 };
  const scene: Scene = { layerBytes: [256 * megabyte], holders: [1], containerd };
  const failures = async (policy: PolicyName): Promise<number> =>
    (await play(policy, scene, 12)).filter(({ outcome }) => outcome === 'parts-failed').length;
  assertWithin(await failures('spegelLike-0.7'), 7, 12, 'v0.7, of 12');
  assertWithin(await failures('spegelLike-0.4'), 1, 12, 'v0.4, of 12');
  for (const { outcome } of await play('peili', scene, 3)) assert.equal(outcome, 'ok');
});

test('row F: killed in mid-blob: v0.4 goes on at the first byte again, which containerd sees; v0.6 and ours go on at the next one', async () => {
  const killSender = (): Pick<Row, 'lose' | 'onBytes'> => {
    const { lose, onBytes } = freezeSender();
    return {
      lose: (stage) => {
        lose?.(stage);
        stage.world.wire.rule(({ to }) => (to === stage.world.upstream ? { kind: 'refuse' } : undefined));
      },
      onBytes: (stage, received) => {
        onBytes?.(stage, received);
        for (const { mirror } of [stage.near, stage.far]) if (mirror?.party.life.isPaused === true) mirror.kill();
      },
    };
  };
  const outcomes = async (policy: PolicyName): Promise<readonly string[]> => {
    const played = await play(policy, { layerBytes: [100 * megabyte], holders: [1, 2], ...killSender() }, 2);
    return played.map(({ outcome }) => outcome);
  };
  assert.deepEqual(await outcomes('spegelLike-0.4'), ['wrong-digest', 'wrong-digest']);
  assert.deepEqual(await outcomes('spegelLike-0.6'), ['ok', 'ok']);
  assert.deepEqual(await outcomes('peili'), ['ok', 'ok']);
});
