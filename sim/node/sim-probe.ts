import type { Probe } from '../../core/index.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { Trace } from '../run/trace.ts';

/** Of so many times that a mirror may be made to behave rarely it is as often as the scenario says. */
export const buggifyOf = 64;

/** What a mirror tells of rare states goes into the trace. A rare behaviour has its own chance at each node, and is off in half of the worlds altogether. */
export function createSimProbe(trace: Trace, node: string, world: SimRandom, buggifyIn64: number): Probe {
  const chances = new Map<string, SimRandom | undefined>();
  const chanceOf = (name: string): SimRandom | undefined => {
    if (!chances.has(name)) {
      const isOn = world.fork(`buggify:${name}`).chance(1, 2);
      chances.set(name, isOn ? world.fork(`buggify:${name}:${node}`) : undefined);
    }
    return chances.get(name);
  };
  return {
    sometimes: (name, condition) => {
      if (condition) trace.emit({ type: 'probe', node, name });
    },
    reach: (name) => {
      trace.emit({ type: 'probe', node, name });
    },
    buggify: (name) => {
      const isAsked = buggifyIn64 > 0 && chanceOf(name)?.chance(buggifyIn64, buggifyOf) === true;
      if (isAsked) trace.emit({ type: 'probe', node, name: `buggify: ${name}` });
      return isAsked;
    },
  };
}
