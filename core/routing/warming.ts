import type { Limits } from '../limits.ts';
import type { Member, Membership } from '../ports/index.ts';

/**
 * Whether this node's "nobody" means something yet. A node that has just started was told nothing; each member that notices sends it a complete
 * batch, empty if need be. Until all of them have, and for `warmingMaxUs` at most, it says that it is warming. Spegel members never tell.
 */
export interface Warming {
  /** A member has said everything that it has to say. */
  heard(id: string): void;
  isWarming(nowUs: number): boolean;
}

export function createWarming(
  membership: Membership,
  isSuspect: (id: string, nowUs: number) => boolean,
  limits: Limits,
  startedAtUs: number,
): Warming {
  const heard = new Set<string>();
  const isAwaited = (member: Member, nowUs: number): boolean =>
    member.kind === 'peili' && !heard.has(member.id) && !isSuspect(member.id, nowUs);
  let isDone = false;
  /** Whom it waited for last time: mostly it still does, and the others need not be looked at. */
  let awaited: { readonly members: readonly Member[]; readonly member: Member } | undefined;
  const isAnyAwaited = (nowUs: number): boolean => {
    const members = membership.members();
    if (awaited?.members === members && isAwaited(awaited.member, nowUs)) return true;
    const member = members.find((each) => isAwaited(each, nowUs));
    awaited = member === undefined ? undefined : { members, member };
    return member !== undefined;
  };
  return {
    heard: (id) => {
      if (!isDone) heard.add(id);
    },
    isWarming: (nowUs) => {
      if (isDone) return false;
      if (nowUs - startedAtUs < limits.warmingMaxUs) {
        return isAnyAwaited(nowUs);
      }
      isDone = true;
      awaited = undefined;
      heard.clear();
      return false;
    },
  };
}
