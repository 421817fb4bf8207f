import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawScenario } from '../draw/draw-scenario.ts';
import type { Violation } from '../oracles/oracle.ts';
import { Campaign } from './campaign.ts';
import type { HuntInThreadsOptions, Hunter, HuntProgress } from './campaign.ts';

const clock = { nowUs: () => 0, schedule: () => ({ cancel: () => undefined }) };
const violationOf = (oracle: string, event: number): Violation => ({ oracle, atUs: 0, event, message: oracle });

/** Seeds that break a law, and at which event. */
function hunterOf(broken: Readonly<Record<number, Violation>>): Hunter & { readonly shrunk: number[] } {
  const shrunk: number[] = [];
  return {
    shrunk,
    do: (order) => {
      const { seed } = order;
      if (order.type === 'try')
        return Promise.resolve({ type: 'tried', id: 0, violation: broken[seed], events: 10, probes: [] });
      shrunk.push(seed);
      const found = { seed, violation: { ...order.violation, event: 1 }, scenario: drawScenario(1) };
      return Promise.resolve({ type: 'shrunk', id: 0, found });
    },
  };
}

const options = (changes: Partial<HuntInThreadsOptions> = {}): HuntInThreadsOptions => ({
  clock,
  budgetUs: 1,
  seedsMax: 6,
  ...changes,
});
const broken = { 1: violationOf('a', 90), 2: violationOf('a', 20), 4: violationOf('a', 50), 5: violationOf('b', 70) };

test('campaign: of seeds that break the same law those that fail soonest are made small', async () => {
  const hunter = hunterOf(broken);
  const progress: HuntProgress[] = [];
  const campaign = new Campaign(options({ onProgress: (each) => progress.push(each) }));
  await campaign.trySeeds(hunter);
  await campaign.makeSmall(hunter);
  const { failing, failingBy, found } = campaign.result();
  assert.deepEqual(hunter.shrunk, [2, 4, 5]);
  assert.deepEqual([failing, failingBy], [4, { a: 3, b: 1 }]);
  assert.deepEqual(
    found.map(({ isSmall }) => isSmall),
    [true, true, true],
  );
  assert.deepEqual(
    progress.flatMap(({ small }) => (small === undefined ? [] : [small])),
    [0, 1, 2].map((done) => ({ done, of: 3 })),
  );
});

test('campaign: called off, what has broken a law is told as it was drawn', async () => {
  const stop = new AbortController();
  const told: number[] = [];
  const campaign = new Campaign(
    options({
      signal: stop.signal,
      onProgress: ({ tried }) => {
        if (tried === 2) stop.abort();
      },
      onFound: ({ seed }) => told.push(seed),
    }),
  );
  const hunter = hunterOf(broken);
  await campaign.trySeeds(hunter);
  await campaign.makeSmall(hunter);
  const { found, tried } = campaign.result();
  assert.deepEqual([tried, hunter.shrunk, told], [2, [], [2, 1]]);
  assert.ok(found.every(({ isSmall }) => !isSmall));
});

test('campaign: what ends the thread that runs it is not run again', async () => {
  const hunter = hunterOf({ 3: violationOf('standstill', 0) });
  const campaign = new Campaign(options());
  await campaign.trySeeds(hunter);
  await campaign.makeSmall(hunter);
  assert.deepEqual([hunter.shrunk, campaign.result().found[0]?.isSmall], [[], false]);
});
