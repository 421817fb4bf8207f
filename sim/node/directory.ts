import type { Member, MembershipChange, RecordsHandler } from '../../core/index.ts';
import type { Party } from '../network/party.ts';

/** A mirror as the others can reach it. */
export interface Seat {
  readonly party: Party;
  self: Member;
  handler: RecordsHandler | undefined;
  /** Calls to it are lost. */
  isMute: boolean;
  /** What it knows of the others. */
  readonly known: Map<string, Member>;
  /** `known` as an array; the same one until it changes. */
  view: readonly Member[] | undefined;
  readonly listeners: Set<(change: MembershipChange) => void>;
}

/** All mirrors of a world by their members' ids. */
export class Directory {
  readonly #seats = new Map<string, Seat>();

  add(seat: Seat): void {
    this.#seats.set(seat.self.id, seat);
  }

  find(id: string): Seat | undefined {
    return this.#seats.get(id);
  }

  all(): Iterable<Seat> {
    return this.#seats.values();
  }

  /** `seat` learns of a member, or of its new incarnation. */
  meet(seat: Seat, member: Member): void {
    if (member.id === seat.self.id) return;
    const before = seat.known.get(member.id);
    seat.known.set(member.id, member);
    seat.view = undefined;
    const type = before === undefined ? 'joined' : before.incarnation < member.incarnation ? 'restarted' : 'updated';
    for (const listener of seat.listeners) listener({ type, member });
  }

  forget(seat: Seat, id: string): void {
    if (!seat.known.delete(id)) return;
    seat.view = undefined;
    for (const listener of seat.listeners) listener({ type: 'left', id });
  }
}
