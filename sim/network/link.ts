import type { Timer } from '../../core/index.ts';
import type { Flow } from './flow.ts';

/** From here on nothing counts as a bound. Finite, so that times and bytes stay numbers. */
export const unboundedRate = 1e15;

/** Something that bytes pass and that carries so many a second: a cable's one direction, a disk, a mirror's share of a processor. */
export class Link {
  readonly name: string;
  bytesPerSecond: number;
  /** Flows that want bytes now. */
  readonly flows: Flow[] = [];
  /** All bytes that have passed. */
  carried = 0;
  /** What its flows could take of it if they had all else to themselves. Integers: sums are exact. While it carries that much, it holds nobody back. */
  demand = 0;

  /** When the first of the flows that it holds back is to be looked at, and the timer for it. */
  dueAtUs = Infinity;
  timer: Timer | undefined;

  // Whether its network has it in its lists: its flows are computed anew; its first flow is another one.
  isChanged = false;
  isPlanned = false;

  // Scratch of `FairShare`.
  mark = 0;
  /** What the flows that are not being computed, and those that are done, leave of it. */
  left = 0;
  /** Flows that are being computed; of them, those that are not done. */
  counted = 0;
  open = 0;
  /** What each of them could have, when it was last looked at: never too high, since it only grows. */
  room = 0;
  /** The rate at which it was full; Infinity: it was not. */
  level = Infinity;

  constructor(name: string, bytesPerSecond: number) {
    this.name = name;
    this.bytesPerSecond = bytesPerSecond;
  }

  /** False: whatever its flows do, they do not fill it. */
  get holdsBack(): boolean {
    return this.demand > this.bytesPerSecond;
  }

  /** Returns its seat, which `remove` wants. */
  add(flow: Flow): number {
    this.demand += flow.bound;
    return this.flows.push(flow) - 1;
  }

  /** The last one takes the place of the one that goes. */
  remove(flow: Flow, seat: number): void {
    this.demand -= flow.bound;
    const last = this.flows.pop();
    if (last === undefined || last === flow) return;
    this.flows[seat] = last;
    last.seats[last.path.indexOf(this)] = seat;
  }
}
