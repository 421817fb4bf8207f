import type { World } from '../run/world.ts';
import { beginCableFault } from './cable-faults.ts';
import type { Fault } from './fault.ts';
import { beginMirrorFault, beginNodeFault } from './node-faults.ts';
import { beginRoutingFault } from './routing-faults.ts';
import { beginStoreFault } from './store-faults.ts';
import { everyNth } from './every-nth.ts';
import type { End } from './end.ts';

/** Plans all faults of a scenario. What a fault changes is as before when it ends. */
export function applyFaults(world: World, faults: readonly Fault[]): void {
  for (const fault of faults) {
    world.kernel.schedule(fault.atUs, () => {
      const label = { kind: fault.what.kind, target: String(fault.target) };
      world.trace.emit({ type: 'fault', ...label, phase: 'begin' });
      const end = begin(world, fault);
      if (fault.untilUs === undefined) return;
      world.kernel.schedule(fault.untilUs - fault.atUs, () => {
        world.trace.emit({ type: 'fault', ...label, phase: 'end' });
        end();
      });
    });
  }
}

/** Returns what ends it. */
function begin(world: World, { target, what }: Fault): End {
  if (target === 'upstream') return beginUpstream(world, what);
  const node = world.nodes[target];
  if (node === undefined)
    throw new RangeError(`a fault happens to node ${target}, and there are ${world.nodes.length}`);
  switch (what.kind) {
    case 'crash':
    case 'crash-empty':
    case 'rename':
    case 'drain':
    case 'pause':
    case 'slow-cpu':
      return beginMirrorFault(node, what);
    case 'pause-node':
    case 'vanish':
    case 'absent':
    case 'wall':
    case 'drift':
      return beginNodeFault(world, node, what);
    case 'unplug':
    case 'rate':
    case 'latency':
    case 'cut':
      return beginCableFault(world, node.host, what);
    case 'http': {
      const isDue = everyNth(what.every);
      return world.wire.rule(({ from, to }) => {
        const isMeant = to === node.mirror?.party && from.host !== to.host;
        const isFrom = what.from === undefined || world.nodes[what.from]?.host === from.host;
        return isMeant && isFrom && isDue() ? what.fault : undefined;
      });
    }
    case 'corrupt':
    case 'remove-layers':
    case 'read-error':
    case 'truncate':
    case 'slow-disk':
    case 'store-events':
      return beginStoreFault(world, node, what);
    case 'mute-records':
    case 'records':
    case 'names':
    case 'forget':
    case 'island':
      return beginRoutingFault(world, node, what);
  }
}

function beginUpstream(world: World, what: Fault['what']): End {
  const { upstreams, wire } = world;
  if (what.kind === 'unplug' || what.kind === 'rate' || what.kind === 'latency') {
    const ends = upstreams.map(({ host }) => beginCableFault(world, host, what));
    return () => {
      for (const end of ends) end();
    };
  }
  if (what.kind !== 'http')
    throw new RangeError(`the upstream has no fault ${what.kind}: http, rate, latency and unplug`);
  const isDue = everyNth(what.every);
  return wire.rule(({ from, to }) => {
    const isFrom = what.from === undefined || world.nodes[what.from]?.host === from.host;
    return to.role === 'upstream' && isFrom && isDue() ? what.fault : undefined;
  });
}
