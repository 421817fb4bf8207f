import type { Member, Membership, MembershipChange } from '../../core/index.ts';

/** What one node knows of the others; changed by calls. */
export interface MemoryMembership extends Membership {
  /** Puts a member in, or what is new of it; says which it was. */
  see(member: Member): void;
  forget(id: string): void;
}

export function createMemoryMembership(self: Member): MemoryMembership {
  const state: { members: readonly Member[] } = { members: [] };
  const listeners = new Set<(change: MembershipChange) => void>();
  const tell = (change: MembershipChange): void => {
    for (const listener of listeners) listener(change);
  };
  return {
    self,
    members: () => state.members,
    watch: (listener) => {
      const own = (change: MembershipChange): void => {
        listener(change);
      };
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    see: (member) => {
      const known = state.members.find(({ id }) => id === member.id);
      state.members = [...state.members.filter(({ id }) => id !== member.id), member];
      if (known === undefined) tell({ type: 'joined', member });
      else if (member.incarnation > known.incarnation) tell({ type: 'restarted', member });
      else tell({ type: 'updated', member });
    },
    forget: (id) => {
      if (state.members.every((member) => member.id !== id)) return;
      state.members = state.members.filter((member) => member.id !== id);
      tell({ type: 'left', id });
    },
  };
}
