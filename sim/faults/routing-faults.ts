import type { RecordsFault } from '../node/records-fault.ts';
import type { Seat } from '../node/directory.ts';
import type { SimNode, World } from '../run/world.ts';
import { nothing } from './end.ts';
import type { End } from './end.ts';
import { everyNth } from './every-nth.ts';
import type { FaultOf } from './fault.ts';

/** What happens to what a mirror knows of the others, and to what they ask of it. */
export function beginRoutingFault(
  world: World,
  { mirror }: SimNode,
  what: FaultOf<'mute-records' | 'records' | 'names' | 'forget' | 'island'>,
): End {
  const { directory, nodes } = world;
  const seat = mirror?.seat;
  if (mirror === undefined || seat === undefined) return nothing;
  // It may have another identity by then.
  const isIt = ({ party }: Seat): boolean => party === mirror.party;
  switch (what.kind) {
    case 'mute-records':
      return directory.rule(({ to }) => (isIt(to) ? lost : undefined));
    case 'records': {
      const isDue = everyNth(what.every);
      return directory.rule(({ to }) => (isIt(to) && isDue() ? what.fault : undefined));
    }
    case 'names':
      return directory.names.rule((id) => (id === mirror.seat?.self.id ? what.fault : undefined));
    case 'forget':
      for (const index of what.members) {
        const id = nodes[index]?.mirror?.seat?.self.id;
        if (id !== undefined) directory.forget(seat, id);
      }
      return nothing;
    case 'island': {
      const inside = new Set([mirror, ...what.with.map((index) => nodes[index]?.mirror)].map((each) => each?.party));
      for (const other of directory.all()) {
        if (inside.has(other.party)) continue;
        directory.forget(seat, other.self.id);
        directory.forget(other, seat.self.id);
      }
      return directory.keepApart((knower, id) => {
        const known = directory.find(id);
        if (known === undefined) return false;
        return (isIt(knower) && !inside.has(known.party)) || (isIt(known) && !inside.has(knower.party));
      });
    }
  }
}

const lost: RecordsFault = { kind: 'lost' };
