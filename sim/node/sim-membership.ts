import type { Membership } from '../../core/index.ts';
import type { Seat } from './directory.ts';

export function createSimMembership(seat: Seat): Membership {
  const { self, view, listeners } = seat;
  return {
    self,
    members: () => view.members(),
    watch: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
