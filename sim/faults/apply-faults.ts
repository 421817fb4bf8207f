import type { SimNode, World } from '../run/world.ts';
import type { Fault, FaultKind } from './fault.ts';

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

type End = () => void;
const nothing: End = () => undefined;

/** Returns what ends it. */
function begin(world: World, { target, what }: Fault): End {
  if (target === 'upstream') return beginUpstream(world, what);
  const node = world.nodes[target];
  if (node === undefined)
    throw new RangeError(`a fault happens to node ${target}, and there are ${world.nodes.length}`);
  switch (what.kind) {
    case 'crash':
    case 'crash-empty':
    case 'drain':
    case 'pause':
      return beginInMirror(node, what.kind);
    case 'unplug':
      node.host.unplug();
      return () => {
        node.host.plug();
      };
    case 'rate':
      node.host.setRate(what.bytesPerSecond);
      return () => {
        node.host.setRate(undefined);
      };
    case 'http':
      return world.wire.rule(({ from, to }) => {
        const isMeant = to === node.mirror?.party && from.host !== to.host;
        return isMeant && (what.from === undefined || world.nodes[what.from]?.host === from.host)
          ? what.fault
          : undefined;
      });
    case 'corrupt':
      for (const { digest, sizeBytes } of layersOf(world)) {
        if (node.store.has(digest) && sizeBytes > 0) node.store.corrupt(digest, what.atByte % sizeBytes);
      }
      return nothing;
    case 'remove-layers':
      for (const { digest } of layersOf(world)) node.store.remove(digest);
      return nothing;
    case 'wall':
      node.wall.offsetUs += what.offsetUs;
      return () => {
        node.wall.offsetUs -= what.offsetUs;
      };
    case 'mute-records':
      return mute(world, node);
  }
}

function beginInMirror(node: SimNode, kind: 'crash' | 'crash-empty' | 'drain' | 'pause'): End {
  const { mirror, store } = node;
  if (mirror === undefined) return nothing;
  if (kind === 'pause') {
    node.hasStoodStill = true;
    const { life } = mirror.party;
    life.pause();
    return () => {
      life.resume();
    };
  }
  if (kind === 'drain') mirror.drain();
  else mirror.kill();
  if (kind === 'crash-empty') store.clear();
  return () => {
    mirror.start();
  };
}

function beginUpstream({ wire, upstreams }: World, what: FaultKind): End {
  if (what.kind === 'http') return wire.rule(({ to }) => (to.role === 'upstream' ? what.fault : undefined));
  if (what.kind === 'rate') {
    for (const { host } of upstreams) host.setRate(what.bytesPerSecond);
    return () => {
      for (const { host } of upstreams) host.setRate(undefined);
    };
  }
  if (what.kind === 'unplug') {
    for (const { host } of upstreams) host.unplug();
    return () => {
      for (const { host } of upstreams) host.plug();
    };
  }
  throw new RangeError(`the upstream has no fault ${what.kind}: http, rate and unplug`);
}

function mute({ directory }: World, { mirror }: SimNode): End {
  return directory.rule(({ to }) => (to === mirror?.seat ? { kind: 'lost' } : undefined));
}

function* layersOf({ images }: World): Iterable<{ readonly digest: string; readonly sizeBytes: number }> {
  for (const { layers } of images.values()) yield* layers;
}
