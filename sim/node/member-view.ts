import type { Member } from '../../core/index.ts';

/** Members that many nodes know alike: one copy for all of them. */
export class Roster {
  readonly members: readonly Member[];
  readonly byId: ReadonlyMap<string, Member>;

  constructor(members: readonly Member[]) {
    this.members = members;
    this.byId = new Map(members.map((member) => [member.id, member]));
  }
}

export const emptyRoster = new Roster([]);

/** What one node knows of the others: what all know, itself left out, until it comes to differ. */
export class MemberView {
  readonly #selfId: string;
  #roster: Roster = emptyRoster;
  #own: Map<string, Member> | undefined;
  #members: readonly Member[] | undefined;

  constructor(selfId: string) {
    this.#selfId = selfId;
  }

  /** The same array until something changes. */
  members(): readonly Member[] {
    this.#members ??= this.#own === undefined ? this.#others() : [...this.#own.values()];
    return this.#members;
  }

  get(id: string): Member | undefined {
    if (this.#own !== undefined) return this.#own.get(id);
    return id === this.#selfId ? undefined : this.#roster.byId.get(id);
  }

  get size(): number {
    return this.members().length;
  }

  set(member: Member): void {
    this.#change().set(member.id, member);
  }

  delete(id: string): boolean {
    if (this.get(id) === undefined) return false;
    return this.#change().delete(id);
  }

  /** Knows these from now on, and nobody else. */
  share(roster: Roster): void {
    this.#roster = roster;
    this.#own = undefined;
    this.#members = undefined;
  }

  #others(): readonly Member[] {
    const { members, byId } = this.#roster;
    const selfId = this.#selfId;
    return byId.has(selfId) ? members.filter(({ id }) => id !== selfId) : members;
  }

  #change(): Map<string, Member> {
    this.#own ??= new Map(this.members().map((member) => [member.id, member]));
    this.#members = undefined;
    return this.#own;
  }
}
