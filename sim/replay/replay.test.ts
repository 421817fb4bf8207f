import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { drawScenario } from '../draw/draw-scenario.ts';
import { simulate } from '../run/simulate.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { formatReplay, parseReplay, ReplayError } from './replay-text.ts';
import { runReplay } from './run-replay.ts';

const image = { name: 'docker.io/library/app:1', layerBytes: [1_000_000] };
const coldStart: Scenario = {
  name: 'cold-start',
  shows: "what is known by name (and 'quoted'): 100 %",
  cluster: {
    nodes: 3,
    zones: 1,
    upBytesPerSecond: 100_000_000,
    downBytesPerSecond: Infinity,
    latencyUs: 200,
    zoneLatencyUs: 800,
    mirrorBytesPerSecond: 1_000_000_000,
  },
  upstream: { bytesPerSecond: 50_000_000, latencyUs: 10_000 },
  images: [image],
  workload: [0, 1, 2].map((node) => ({ atUs: 1_000_000 + node * 2_000_000, node, image: image.name })),
  faults: [],
  untilUs: 60_000_000,
};
const named = (name: string): Scenario | undefined => (name === coldStart.name ? coldStart : undefined);

/** The named one with single values changed, or one that has more or other parts. */
const scenarios = fc.oneof(
  fc
    .record(
      {
        nodes: fc.integer({ min: 3, max: 10_000 }),
        up: fc.oneof(
          fc.integer({ min: 1 }),
          fc.constant(Infinity),
          fc.double({ min: 1, noNaN: true, noDefaultInfinity: true }),
        ),
        shows: fc.string({ unit: 'binary' }),
        image: fc.string(),
        node: fc.nat(2),
      },
      { noNullPrototype: true },
    )
    .map(({ nodes, up, shows, image: name, node }) => ({
      ...coldStart,
      shows,
      cluster: { ...coldStart.cluster, nodes, upBytesPerSecond: up },
      images: [image, { ...image, name }],
      workload: coldStart.workload.map((pull, index) => (index === 1 ? { ...pull, node, image: name } : pull)),
    })),
  fc.nat(5_000).map(drawScenario),
  fc
    .record(
      { swaps: fc.array(fc.nat(500)), name: fc.constantFrom('cold-start', 'another one') },
      { noNullPrototype: true },
    )
    .map((changes) => ({ ...coldStart, ...changes })),
);

test('replay: what is read is what was written, on one line that a shell takes as it is', () => {
  const replays = fc.record(
    {
      scenario: scenarios,
      seed: fc.maxSafeNat(),
      policy: fc.constantFrom('peili' as const, 'noMirror' as const),
      event: fc.nat(),
    },
    { requiredKeys: ['scenario', 'seed', 'policy'], noNullPrototype: true },
  );
  fc.assert(
    fc.property(replays, fc.boolean(), (replay, isNamed) => {
      const text = formatReplay(replay, isNamed ? named : undefined);
      assert.match(text, /^peili-sim:1:[\w.=%+~:-]+$/);
      assert.deepEqual(parseReplay(` ${text}\n`, named), replay);
    }),
    { numRuns: 300 },
  );
});

test('replay: a scenario with a name is its name, and what differs from it', () => {
  const { cluster } = coldStart;
  const changed = { ...coldStart, cluster: { ...cluster, nodes: 20, downBytesPerSecond: 5 } };
  assert.equal(
    formatReplay({ scenario: coldStart, seed: 7, policy: 'peili' }, named),
    'peili-sim:1:cold-start:7:peili',
  );
  assert.equal(
    formatReplay({ scenario: changed, seed: 7, policy: 'noMirror', event: 12 }, named),
    'peili-sim:1:cold-start+cluster.nodes=20+cluster.downBytesPerSecond=5:7:noMirror:12',
  );
});

for (const [text, message] of [
  ['hello', /^a replay begins with "peili-sim:1:", and this with "hello"$/],
  ['', /begins with/],
  ['peili-sim:2:cold-start:1:peili', /version "2", and this program reads version 1/],
  ['peili-sim:1:cold-start:1', /has 2 of these parts: it is cut/],
  ['peili-sim:1:cold-start:1:peili:5:6', /has 5 of these parts/],
  ['peili-sim:1:warm-start:1:peili', /^there is no scenario "warm-start" here$/],
  ['peili-sim:1:cold-start:x:peili', /^the seed of a replay is a whole number, not "x"$/],
  ['peili-sim:1:cold-start:1:peili:-5', /^the event of a replay is a whole number, not "-5"$/],
  ['peili-sim:1:cold-start:1:?', /no policy's name/],
  ['peili-sim:1:cold-start+cluster.size=5:1:peili', /^there is no value at "cluster.size" \(scenario "cold-start"\)$/],
  ['peili-sim:1:cold-start+__proto__.x=5:1:peili', /^there is no value at "__proto__.x"/],
  ['peili-sim:1:cold-start+cluster.nodes:1:peili', /^a change is path=value, not "cluster.nodes"/],
  ['peili-sim:1:cold-start+cluster.nodes=%:1:peili', /^the value at "cluster.nodes" cannot be read: "%"/],
  [
    'peili-sim:1:cold-start+workload.0.node=3:1:peili',
    /^the scenario of this replay is wrong: workload\[0\]\.node: 3 is no node: 0 to 2$/,
  ],
  ['peili-sim:1:~abc:1:peili', /cannot be read: the line is cut or was changed$/],
  ['peili-sim:1:~!!:1:peili', /cannot be read/],
] as const) {
  test(`replay: "${text}" is refused with what is wrong`, () => {
    assert.throws(
      () => parseReplay(text, named),
      (cause) => cause instanceof ReplayError && message.test(cause.message),
    );
  });
}

test('replay: a line that lost or changed a character of its scenario is refused, never another scenario', () => {
  const text = formatReplay({ scenario: drawScenario(3), seed: 3, policy: 'peili' });
  const [before = '', scenario = ''] = /^(.*~)([^:]+)/.exec(text)?.slice(1) ?? [];
  const rest = text.slice(before.length + scenario.length);
  for (let at = 0; at < scenario.length; at += 7) {
    const cut = scenario.slice(0, at) + scenario.slice(at + 1);
    const changed = `${scenario.slice(0, at)}${scenario[at] === 'A' ? 'B' : 'A'}${scenario.slice(at + 1)}`;
    for (const wrong of [cut, changed]) {
      try {
        assert.deepEqual(
          parseReplay(before + wrong + rest).scenario,
          drawScenario(3),
          'bits behind the end mean nothing',
        );
      } catch (cause) {
        assert.ok(cause instanceof ReplayError, String(cause));
      }
    }
  }
});

test('replay: stops after the event that it names, and has what happened last', async () => {
  const whole = await simulate(coldStart, { seed: 5 });
  const { result, last } = await runReplay(
    { scenario: coldStart, seed: 5, policy: 'peili', event: 40 },
    { lastMax: 5 },
  );
  assert.equal(result?.events, 40);
  assert.equal(last.length, 5);
  assert.ok((last.at(-1)?.ordinal ?? 0) <= 40);
  const again = await runReplay(parseReplay(formatReplay({ scenario: coldStart, seed: 5, policy: 'peili' })));
  assert.equal(again.result?.hash, whole.hash);
});

test('replay: a run that fails says with what, and what happened before', async () => {
  const { failure, last, result } = await runReplay(
    { scenario: coldStart, seed: 5, policy: 'peili' },
    {
      onWorld: ({ kernel }) => {
        kernel.schedule(3_500_000, () => {
          throw new Error('planted');
        });
      },
    },
  );
  assert.equal(result, undefined);
  assert.equal(String(failure), 'Error: planted');
  assert.ok((last.at(-1)?.atUs ?? 0) > 3_000_000);
});
