import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawScenario } from '../draw/draw-scenario.ts';
import { simulate } from '../run/simulate.ts';

test('probe: rare places are reached in drawn runs, and rare behaviour breaks no law', async () => {
  const reached = new Set<string>();
  for (let seed = 0; seed < 10; seed += 1) {
    const { violations } = await simulate(
      { ...drawScenario(seed), buggifyIn64: 4 },
      {
        seed,
        drain: 'tick',
        onWorld: ({ trace }) => {
          trace.watch((event) => {
            if (event.type === 'probe') reached.add(event.name);
          });
        },
      },
    );
    assert.deepEqual(violations, [], `seed ${seed}`);
  }
  for (const name of [
    'buggify: relay: a window of one byte',
    'buggify: routing: warming again',
    'buggify: advertising: a message for each key',
    'routing: a warming member has nobody to name',
  ])
    assert.ok(reached.has(name), `${name}: never, among ${[...reached].join(', ')}`);
});

test('probe: where a scenario wants no rare behaviour none is asked for', async () => {
  const { buggifyIn64: _rarely, ...scenario } = drawScenario(7);
  await simulate(scenario, {
    drain: 'tick',
    onWorld: ({ trace }) => {
      trace.watch((event) => {
        assert.ok(event.type !== 'probe' || !event.name.startsWith('buggify'));
      });
    },
  });
});
