import type { Membership } from '../../core/index.ts';
import type { Seat } from './directory.ts';

export function createSimMembership(seat: Seat): Membership {
  return {
    get self() {
      return seat.self;
    },
    members: () => (seat.view ??= [...seat.known.values()]),
    watch: (listener) => {
      seat.listeners.add(listener);
      return () => void seat.listeners.delete(listener);
    },
  };
}
