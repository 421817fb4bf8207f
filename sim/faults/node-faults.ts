import type { SimNode, World } from '../run/world.ts';
import { nothing } from './end.ts';
import type { End } from './end.ts';
import type { FaultOf } from './fault.ts';

/** What happens to the mirror alone. */
export function beginMirrorFault(
  node: SimNode,
  what: FaultOf<'crash' | 'crash-empty' | 'rename' | 'drain' | 'pause' | 'slow-cpu'>,
): End {
  const { mirror, store } = node;
  if (mirror === undefined) return nothing;
  const { party, seat } = mirror;
  if (what.kind === 'pause') {
    const { life } = party;
    node.hasStoodStill = true;
    life.pause();
    return () => {
      life.resume();
    };
  }
  if (what.kind === 'slow-cpu') {
    party.host.slowMirror(what.times);
    if (seat !== undefined) seat.slowness = what.times;
    return () => {
      party.host.slowMirror(1);
      if (seat !== undefined) seat.slowness = 1;
    };
  }
  if (what.kind === 'drain') mirror.drain();
  else if (what.kind === 'rename' && mirror.rename !== undefined) mirror.rename();
  else mirror.kill();
  if (what.kind === 'crash-empty') store.clear();
  return () => {
    mirror.start();
  };
}

/** What happens to the whole machine. */
export function beginNodeFault(
  world: World,
  node: SimNode,
  what: FaultOf<'pause-node' | 'vanish' | 'absent' | 'wall' | 'drift'>,
): End {
  switch (what.kind) {
    case 'wall':
      node.wall.offsetUs += what.offsetUs;
      return () => {
        node.wall.offsetUs -= what.offsetUs;
      };
    case 'drift':
      node.wall.drift = { sinceUs: world.kernel.nowUs(), usPerSecond: what.usPerSecond };
      return () => {
        node.wall.drift = undefined;
      };
    case 'pause-node': {
      const lives = [node.containerd.party.life, ...(node.mirror === undefined ? [] : [node.mirror.party.life])];
      node.hasStoodStill = true;
      for (const life of lives) life.pause();
      return () => {
        for (const life of lives) life.resume();
      };
    }
    case 'vanish':
    case 'absent':
      return takeAway(world, node, what.kind === 'absent');
  }
}

function takeAway({ directory, kernel }: World, { containerd, host, mirror, store }: SimNode, isUnknown: boolean): End {
  const { life } = containerd.party;
  mirror?.kill();
  life.pause();
  host.unplug();
  const id = mirror?.seat?.self.id;
  if (id !== undefined) {
    directory.names.unlist(id, kernel.nowUs());
    if (isUnknown) for (const seat of directory.all()) directory.forget(seat, id);
  }
  return () => {
    store.clear();
    host.plug();
    life.resume();
    if (id !== undefined) directory.names.list(id, kernel.nowUs());
    mirror?.start();
  };
}
