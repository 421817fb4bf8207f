import type { Directory, Seat } from './directory.ts';

/** An open connection, as one of its ends sees it. */
export interface Link {
  /** Since when something was asked over it and nothing has come. */
  silentSinceUs: number | undefined;
}

/** Handshake of a new connection: processor time of each end (libp2p with noise, measured: 15 ms for both). */
const handshakeUs = 7_500;
/** A cluster that is too large for all to hold connections to all has said hello before time begins: the first batches need no dial. */
const settlingUs = 2_000_000;

/** Connections between routers: few are held, the others are dialled on need, and who could not be reached is left alone for a while. */
export class Links {
  readonly #directory: Directory;
  readonly #open = new Map<Seat, Map<string, Link>>();
  readonly #dials = new Map<Seat, Map<string, ((link: Link | undefined) => void)[]>>();
  readonly #aloneUntilUs = new Map<Seat, Map<string, number>>();
  /** Whether connections are counted at all. */
  #isCounted = true;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /** All have met: who can is connected. */
  settle(seats: number): void {
    const { limits, knownMax } = this.#directory.options;
    this.#isCounted = seats <= knownMax;
    if (!this.#isCounted) return;
    const all = [...this.#directory.all()].toSorted(byPosition);
    // A ring by position: each holds connections to its neighbours, as many on either side as it may hold.
    const reach = Math.min(limits.connectionsMax >> 1, all.length >> 1);
    for (const [index, seat] of all.entries()) {
      const links = new Map<string, Link>();
      for (let distance = 1; distance <= reach; distance += 1) {
        for (const at of [index + distance, index - distance + all.length]) {
          const id = all[at % all.length]?.self.id;
          if (id !== undefined && id !== seat.self.id) links.set(id, { silentSinceUs: undefined });
        }
      }
      this.#open.set(seat, links);
    }
  }

  isOpen(seat: Seat, id: string): boolean {
    return !this.#isCounted || this.#open.get(seat)?.has(id) === true;
  }

  /** Connections that this mirror holds. */
  countOf(seat: Seat): number {
    return this.#open.get(seat)?.size ?? 0;
  }

  /** Calls back with the open connection or a new one; undefined when there is none to be had. `isBatch`: of what a mirror says of itself. */
  connect(seat: Seat, id: string, isBatch: boolean, callback: (link: Link | undefined) => void): void {
    const { kernel } = this.#directory;
    const link = this.#open.get(seat)?.get(id);
    if (link !== undefined && !this.#isSilent(link)) {
      this.#touch(seat, id, link);
      callback(link);
      return;
    }
    if (link !== undefined) this.#close(seat, id);
    const isSettling = isBatch && kernel.nowUs() < settlingUs && link === undefined;
    if (!this.#isCounted || isSettling) {
      const { life } = this.#directory.find(id)?.party ?? { life: undefined };
      if (life !== undefined && !life.isOver) {
        callback({ silentSinceUs: undefined });
        return;
      }
    }
    this.#dial(seat, id, callback);
  }

  /** The last dial failed. */
  isFailing(seat: Seat, id: string): boolean {
    return this.#aloneUntilUs.get(seat)?.has(id) === true;
  }

  /** The program at this seat has gone: the others' kernels are told. */
  drop(seat: Seat): void {
    const links = this.#open.get(seat);
    this.#open.delete(seat);
    for (const id of links?.keys() ?? []) {
      const other = this.#directory.find(id);
      if (other === undefined) continue;
      this.#open.get(other)?.delete(seat.self.id);
      const { kernel, options } = this.#directory;
      const delayUs = options.latencyUs(seat.party.host, other.party.host);
      kernel.schedule(delayUs, () => {
        this.#disconnected(other, seat);
      });
    }
  }

  #disconnected(other: Seat, seat: Seat): void {
    const known = other.view.get(seat.self.id);
    if (known?.connected !== true || this.isOpen(other, seat.self.id)) return;
    other.party.life.run(() => {
      this.#directory.meet(other, { ...known, connected: false });
    });
  }

  /** Packets pass, both ways. */
  #canPass(from: Seat, to: Seat): boolean {
    const { passage } = this.#directory.options;
    const [host, other] = [from.party.host, to.party.host];
    return passage.isOpen(host, other) && passage.isOpen(other, host);
  }

  #isSilent({ silentSinceUs }: Link): boolean {
    const { kernel, options } = this.#directory;
    return silentSinceUs !== undefined && kernel.nowUs() - silentSinceUs > options.limits.recordsSendTimeoutUs;
  }

  #dial(from: Seat, id: string, callback: (link: Link | undefined) => void): void {
    const { kernel, options } = this.#directory;
    const { memberDialTimeoutUs, memberRetryUs } = options.limits;
    const dials = of(this.#dials, from);
    const waiting = dials.get(id);
    if (waiting !== undefined) {
      waiting.push(callback);
      return;
    }
    if ((this.#aloneUntilUs.get(from)?.get(id) ?? 0) > kernel.nowUs()) {
      callback(undefined);
      return;
    }
    const callbacks = [callback];
    dials.set(id, callbacks);
    const { life } = from.party;
    const beganUs = kernel.nowUs();
    const finish = (to: Seat | undefined): void => {
      dials.delete(id);
      if (life.isOver) return;
      if (to === undefined) {
        of(this.#aloneUntilUs, from).set(id, kernel.nowUs() + memberRetryUs);
        // Who was only heard of is forgotten.
        if (from.hinted.has(id)) this.#directory.forget(from, id);
      }
      const link = to === undefined ? undefined : this.#opened(from, to);
      for (const each of callbacks) each(link);
    };
    const timeOut = (): void => {
      kernel.schedule(Math.max(0, beganUs + memberDialTimeoutUs - kernel.nowUs()), () => {
        finish(undefined);
      });
    };
    const to = this.#directory.find(id);
    if (to === undefined || to.isGone || !this.#canPass(from, to)) {
      timeOut();
      return;
    }
    const tripUs = 2 * options.latencyUs(from.party.host, to.party.host);
    kernel.schedule(tripUs, () => {
      if (to.party.life.isOver) {
        finish(undefined);
        return;
      }
      const nowUs = kernel.nowUs();
      // Each end does its part when its processor is free: the other one's queue does not keep it from other work.
      from.busyUntilUs = Math.max(nowUs, from.busyUntilUs) + Math.ceil(handshakeUs * from.slowness);
      to.busyUntilUs = Math.max(nowUs, to.busyUntilUs) + Math.ceil(handshakeUs * to.slowness);
      const endUs = Math.max(from.busyUntilUs, to.busyUntilUs);
      kernel.schedule(endUs - nowUs + tripUs, () => {
        const isLate = kernel.nowUs() > beganUs + memberDialTimeoutUs;
        const { isOver, isPaused } = to.party.life;
        if (isOver || isPaused || isLate || !this.#canPass(from, to)) timeOut();
        else finish(to);
      });
    });
  }

  /** Both say hello: each knows the other as it is now. */
  #opened(from: Seat, to: Seat): Link {
    const link: Link = { silentSinceUs: undefined };
    this.#aloneUntilUs.get(from)?.delete(to.self.id);
    this.#aloneUntilUs.get(to)?.delete(from.self.id);
    this.#touch(from, to.self.id, link);
    this.#touch(to, from.self.id, { silentSinceUs: undefined });
    this.#directory.meet(from, to.self);
    to.party.life.run(() => {
      this.#directory.meet(to, from.self);
    });
    return link;
  }

  /** Used just now; the longest unused one makes room. */
  #touch(seat: Seat, id: string, link: Link): void {
    const links = of(this.#open, seat);
    if (links.size >= this.#directory.options.limits.connectionsMax || !links.has(id)) {
      links.delete(id);
      links.set(id, link);
    }
    if (links.size <= this.#directory.options.limits.connectionsMax) return;
    const oldest = links.keys().next();
    if (oldest.done !== true) this.#close(seat, oldest.value);
  }

  #close(seat: Seat, id: string): void {
    this.#open.get(seat)?.delete(id);
    const other = this.#directory.find(id);
    if (other !== undefined) this.#open.get(other)?.delete(seat.self.id);
  }
}

/** What is kept for a seat by the others' ids, made when first wanted. */
function of<T>(all: Map<Seat, Map<string, T>>, seat: Seat): Map<string, T> {
  const own = all.get(seat) ?? new Map<string, T>();
  all.set(seat, own);
  return own;
}

function byPosition({ self: a }: Seat, { self: b }: Seat): number {
  for (const [index, byte] of a.position.entries()) {
    const difference = byte - (b.position[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
