import { Kernel } from '../kernel/kernel.ts';
import { Life } from '../kernel/life.ts';
import { createSimRandom } from '../kernel/random.ts';

/** Nodes that plan one thing after the other, and now and then take one back: the kernel and the turns of promises alone. */
export async function runKernelAlone(nodes: number, eventsMax: number): Promise<Kernel> {
  const kernel = new Kernel({ drain: 'tick' });
  const root = createSimRandom(1);
  for (let node = 0; node < nodes; node += 1) {
    const random = root.fork(`n${node}`);
    const life = new Life(kernel);
    let deadline = life.schedule(1_000_000, () => undefined);
    const work = (): void => {
      if (random.chance(1, 8)) {
        deadline.cancel();
        deadline = life.schedule(1_000_000, () => undefined);
      }
      life.schedule(random.between(1, 1_000), work);
    };
    life.schedule(node, work);
  }
  await kernel.run({ untilUs: Number.MAX_SAFE_INTEGER / 2, eventsMax });
  return kernel;
}
