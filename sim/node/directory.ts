import type { Limits, Member, MembershipChange, RecordsHandler, RoutingKey } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Host } from '../network/host.ts';
import type { Passage } from '../network/passage.ts';
import type { Party } from '../network/party.ts';
import { Links } from './links.ts';
import type { MemberView } from './member-view.ts';
import { Roster } from './member-view.ts';
import { NameService } from './name-service.ts';
import type { RecordsFault } from './records-fault.ts';

/** A mirror as the others can reach it, under one identity. */
export interface Seat {
  readonly party: Party;
  self: Member;
  handler: RecordsHandler | undefined;
  /** What it knows of the others. */
  readonly view: MemberView;
  readonly listeners: Set<(change: MembershipChange) => void>;
  /** Of those, whom it has only heard of. */
  readonly hinted: Set<string>;
  /** Handshakes keep its processor busy until then. */
  busyUntilUs: number;
  /** How many times as long its processor takes. */
  slowness: number;
  /** This identity is nobody's any more, and nobody is at its address. */
  isGone: boolean;
}

/** One call from router to router. */
export interface RecordsCall {
  readonly from: Seat;
  readonly to: Seat;
  /** Undefined: a batch. */
  readonly key: RoutingKey | undefined;
}

export interface DirectoryOptions {
  readonly latencyUs: (from: Host, to: Host) => number;
  /** Which packets pass. */
  readonly passage: Passage;
  readonly limits: Limits;
  /** Members that each mirror knows, in a cluster that has more of them. */
  readonly knownMax: number;
}

/** All mirrors of a world: who they are, who knows whom, and what goes wrong between their routers. */
export class Directory {
  readonly kernel: Kernel;
  readonly options: DirectoryOptions;
  readonly links: Links;
  readonly names = new NameService();
  readonly #seats = new Map<string, Seat>();
  readonly #apart = new Set<(seat: Seat, id: string) => boolean>();
  #addresses = 0;
  readonly #rules = new Set<(call: RecordsCall) => RecordsFault | undefined>();

  constructor(kernel: Kernel, options: DirectoryOptions) {
    this.kernel = kernel;
    this.options = options;
    this.links = new Links(this);
  }

  add(seat: Seat): void {
    this.#seats.set(seat.self.id, seat);
    this.names.list(seat.self.id, this.kernel.nowUs());
  }

  /** One that nobody else has. */
  nextAddress(): string {
    this.#addresses += 1;
    const number = this.#addresses;
    return `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
  }

  find(id: string): Seat | undefined {
    return this.#seats.get(id);
  }

  all(): Iterable<Seat> {
    return this.#seats.values();
  }

  /** Asks for each call between routers what goes wrong with it. The first answer counts. */
  rule(rule: (call: RecordsCall) => RecordsFault | undefined): () => void {
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  /** As long as it says so, a seat does not come to know of a member, whoever tells it. */
  keepApart(isApart: (seat: Seat, id: string) => boolean): () => void {
    this.#apart.add(isApart);
    return () => void this.#apart.delete(isApart);
  }

  faultOf(call: RecordsCall): RecordsFault | undefined {
    for (const rule of this.#rules) {
      const fault = rule(call);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** As after some minutes of peace: all know all, or, where there are too many, the same `knownMax` of them. */
  acquaint(): void {
    const seats = [...this.#seats.values()];
    const step = Math.max(1, seats.length / this.options.knownMax);
    const known = Array.from({ length: Math.ceil(seats.length / step) }, (_, index) => seats[Math.floor(index * step)]);
    const roster = new Roster(known.flatMap((seat) => seat?.self ?? []));
    for (const seat of seats) seat.view.share(roster);
    this.names.limit(roster.byId);
    this.links.settle(seats.length);
  }

  /** `seat` learns of a member, or what is new of it. */
  meet(seat: Seat, member: Member): void {
    if (member.id === seat.self.id) return;
    for (const isApart of this.#apart) if (isApart(seat, member.id)) return;
    seat.hinted.delete(member.id);
    const before = seat.view.get(member.id);
    if (before === member) return;
    seat.view.set(member);
    const isNewLife = before !== undefined && before.incarnation !== member.incarnation;
    const type = before === undefined ? 'joined' : isNewLife ? 'restarted' : 'updated';
    for (const listener of seat.listeners) listener({ type, member });
  }

  /** `seat` hears of a member from somebody else: that never changes what the member said of itself. */
  hint(seat: Seat, member: Member): void {
    if (member.id === seat.self.id || seat.view.get(member.id) !== undefined) return;
    this.meet(seat, member.connected ? { ...member, connected: false } : member);
    if (seat.view.get(member.id) !== undefined) seat.hinted.add(member.id);
  }

  forget(seat: Seat, id: string): void {
    seat.hinted.delete(id);
    if (!seat.view.delete(id)) return;
    for (const listener of seat.listeners) listener({ type: 'left', id });
  }
}
