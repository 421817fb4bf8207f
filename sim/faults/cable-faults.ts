import type { Host } from '../network/host.ts';
import type { World } from '../run/world.ts';
import type { End } from './end.ts';
import type { FaultOf } from './fault.ts';

/** What happens to the cable of a machine, or on the way between two. */
export function beginCableFault(world: World, host: Host, what: FaultOf<'unplug' | 'rate' | 'latency' | 'cut'>): End {
  switch (what.kind) {
    case 'unplug':
      host.unplug();
      return () => {
        host.plug();
      };
    case 'rate':
      host.setRate(what.bytesPerSecond);
      return () => {
        host.setRate(undefined);
      };
    case 'latency':
      host.addedLatencyUs += what.addedUs;
      return () => {
        host.addedLatencyUs -= what.addedUs;
      };
    case 'cut': {
      const others = new Set(what.with.map((index) => world.nodes[index]?.host));
      return world.passage.cut(
        (from, to) =>
          (what.way !== 'in' && from === host && others.has(to)) ||
          (what.way !== 'out' && to === host && others.has(from)),
      );
    }
  }
}
