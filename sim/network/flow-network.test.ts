import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kernel } from '../kernel/kernel.ts';
import { createSimRandom } from '../kernel/random.ts';
import { FlowNetwork } from './flow-network.ts';
import type { Flow } from './flow.ts';
import { progressiveFilling } from './testing/progressive-filling.ts';

const second = 1_000_000;
const everything = 1e15;

/** Random links and flows over them; after each change all rates are those of the definition. */
async function compare(seed: number, links: number, steps: number): Promise<void> {
  const random = createSimRandom(seed);
  const kernel = new Kernel({ drain: 'tick' });
  const network = new FlowNetwork(kernel);
  const all = Array.from({ length: links }, (_, index) => network.addLink(`l${index}`, random.between(1, 12) * 1_000));
  const flows = new Set<Flow>();
  const change = (): void => {
    const what = random.below(10);
    const [some] = [...flows].slice(random.below(Math.max(1, flows.size)));
    if (what < 5 || some === undefined) {
      const count = random.between(0, 4);
      const path = [...new Set(Array.from({ length: count }, () => all[random.below(all.length)] ?? assert.fail()))];
      const cap = random.chance(1, 3) ? random.between(1, 4_000) : Infinity;
      const flow = network.open(path, { capBytesPerSecond: cap });
      flow.want(everything, Infinity, () => undefined);
      flows.add(flow);
    } else if (what < 8) {
      some.close();
      flows.delete(some);
    } else {
      const bytesPerSecond = random.chance(1, 6) ? 0 : random.between(1, 12) * 1_000;
      network.setRate(all[random.below(all.length)] ?? assert.fail(), bytesPerSecond);
    }
  };
  const check = (step: number): void => {
    const expected = progressiveFilling(flows);
    for (const flow of flows) {
      const rate = expected.get(flow) ?? assert.fail();
      const names = flow.path.map(({ name }) => name).join(' ');
      assert.ok(
        Math.abs(flow.rate - rate) <= 1e-6 * Math.max(1, rate),
        `seed ${seed}, step ${step}: ${flow.rate} over ${names}, not ${rate}`,
      );
    }
  };
  for (let step = 0; step < steps; step += 1) {
    kernel.schedule(step * 10, () => {
      for (let changes = random.between(1, 3); changes > 0; changes -= 1) change();
    });
    kernel.schedule(step * 10 + 5, () => {
      check(step);
    });
  }
  await kernel.run({ untilUs: second });
}

test('flows: whatever comes and goes, all rates are max-min fair, as by the definition', async () => {
  for (let seed = 1; seed <= 60; seed += 1) await compare(seed, 2 + (seed % 12), 60);
  await compare(1_000, 60, 400);
});

/** What a flow's reader was given, and when. */
function read(kernel: Kernel, flow: Flow, bytes: number, quantumUs = Infinity): [atUs: number, bytes: number][] {
  const taken: [number, number][] = [];
  const go = (left: number): void => {
    flow.want(left, quantumUs, (came) => {
      taken.push([kernel.nowUs(), came]);
      if (came < left) go(left - came);
    });
  };
  go(bytes);
  return taken;
}

test('flows: bytes come when their rates say, whoever comes and goes meanwhile', async () => {
  const kernel = new Kernel();
  const network = new FlowNetwork(kernel);
  const link = network.addLink('cable', 1_000);
  const one = read(kernel, network.open([link]), 2_000);
  const other: (typeof one)[] = [];
  kernel.schedule(second, () => other.push(read(kernel, network.open([link]), 300)));
  await kernel.run({ untilUs: 60 * second });
  assert.deepEqual(one, [[2_300_000, 2_000]], 'a second alone, 0.6 s at half the rate, the rest alone');
  assert.deepEqual(other, [[[1_600_000, 300]]]);
  assert.equal(link.carried, 2_300);
});

test('flows: a reader that waits gets what has come after its quantum, and at once when nothing comes any more', async () => {
  const kernel = new Kernel();
  const network = new FlowNetwork(kernel);
  const link = network.addLink('cable', 1_000);
  const taken = read(kernel, network.open([link]), 2_000, 400_000);
  kernel.schedule(1_000_000, () => {
    network.setRate(link, 0);
  });
  kernel.schedule(9_000_000, () => {
    network.setRate(link, 2_000);
  });
  await kernel.run({ untilUs: 60 * second });
  const expected = [400_000, 800_000, 1_000_000, 9_400_000, 9_500_000];
  assert.deepEqual(
    taken,
    expected.map((atUs, index) => [atUs, [400, 400, 200, 800, 200][index]]),
  );
});

test('flows: what would have come within the quantum and is held up: what has come of it does at once, and since when it came is known', async () => {
  const kernel = new Kernel();
  const network = new FlowNetwork(kernel);
  const link = network.addLink('cable', 10_000);
  const flow = network.open([link]);
  const taken: (readonly [fromUs: number, toUs: number, bytes: number])[] = [];
  const go = (left: number): void => {
    flow.want(left, 400_000, (came) => {
      taken.push([flow.cameSinceUs, kernel.nowUs(), came]);
      if (came < left) go(left - came);
    });
  };
  go(2_000);
  for (const [atUs, rate] of [
    [100_000, 0],
    [250_000, 4_000],
  ] as const)
    kernel.schedule(atUs, () => {
      network.setRate(link, rate);
    });
  await kernel.run({ untilUs: 60 * second });
  assert.deepEqual(taken, [
    [0, 100_000, 1_000],
    [250_000, 500_000, 1_000],
  ]);
});

test('flows: one that is interrupted says how much has come, and leaves its share to others', async () => {
  const kernel = new Kernel();
  const network = new FlowNetwork(kernel);
  const link = network.addLink('cable', 1_000);
  const one = network.open([link]);
  one.want(2_000, Infinity, () => assert.fail());
  const rest = network.open([link]);
  const other = read(kernel, rest, 1_000);
  kernel.schedule(second, () => {
    assert.equal(one.interrupt(), 500);
  });
  await kernel.run({ untilUs: 60 * second });
  assert.deepEqual(other, [[1_500_000, 1_000]]);
  assert.equal(link.carried, 1_500);
  rest.close();
  assert.equal(link.flows.length, 0);
});
