import type { Timer } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { fairShare } from './fair-share.ts';

/** Something that bytes pass and that carries so many a second: a cable's one direction, a disk, a mirror's share of a processor. */
export interface Link {
  readonly name: string;
  bytesPerSecond: number;
  readonly flows: Set<Flow>;
  /** All bytes that have passed. */
  carried: number;
}

export interface FlowNetworkOptions {
  /** A reader that waits gets what has come after this time, though it wanted more. Microseconds. @default 100 ms */
  readonly quantumUs?: number;
}

/** Bandwidth: flows over links, each as fast as max-min fairness lets it be. Latency is not here. */
export class FlowNetwork {
  readonly #kernel: Kernel;
  readonly #quantumUs: number;
  readonly #active = new Set<Flow>();
  #isSolving = false;

  constructor(kernel: Kernel, { quantumUs = 100_000 }: FlowNetworkOptions = {}) {
    this.#kernel = kernel;
    this.#quantumUs = quantumUs;
  }

  addLink(name: string, bytesPerSecond: number): Link {
    return { name, bytesPerSecond, flows: new Set(), carried: 0 };
  }

  setRate(link: Link, bytesPerSecond: number): void {
    link.bytesPerSecond = bytesPerSecond;
    this.#changed();
  }

  /** A way for bytes over these links, none of them faster than the cap. */
  open(path: readonly Link[], capBytesPerSecond = Infinity): Flow {
    return new Flow(this.#kernel, path, capBytesPerSecond, this.#quantumUs, (flow, isActive) => {
      if (isActive) this.#active.add(flow);
      else this.#active.delete(flow);
      for (const link of path) {
        if (isActive) link.flows.add(flow);
        else link.flows.delete(flow);
      }
      this.#changed();
    });
  }

  /** Once for all that changes at this time, after it. */
  #changed(): void {
    if (this.#isSolving) return;
    this.#isSolving = true;
    const solve = (): void => {
      this.#isSolving = false;
      for (const flow of this.#active) flow.advance();
      fairShare(this.#active);
      for (const flow of this.#active) flow.plan();
    };
    this.#kernel.schedule(0, solve, solvePriority);
  }
}

const solvePriority = 1_000;

/** One stream of bytes. At most one `want()` at a time. */
export class Flow {
  readonly path: readonly Link[];
  readonly capBytesPerSecond: number;
  /** What fairness gives it now. */
  rate = 0;
  /** Set by whoever computes rates. */
  nextRate = 0;
  readonly #kernel: Kernel;
  readonly #quantumUs: number;
  readonly #setActive: (flow: Flow, isActive: boolean) => void;
  #wanted = 0;
  #arrived = 0;
  #sinceUs = 0;
  #onArrived: ((bytes: number) => void) | undefined;
  #timer: Timer | undefined;

  constructor(
    kernel: Kernel,
    path: readonly Link[],
    capBytesPerSecond: number,
    quantumUs: number,
    setActive: (flow: Flow, isActive: boolean) => void,
  ) {
    this.#kernel = kernel;
    this.path = path;
    this.capBytesPerSecond = capBytesPerSecond;
    this.#quantumUs = quantumUs;
    this.#setActive = setActive;
  }

  /** Calls back when `bytes` more have come, or some of them after the quantum. */
  want(bytes: number, onArrived: (bytes: number) => void): void {
    this.#wanted = bytes;
    this.#arrived = 0;
    this.#sinceUs = this.#kernel.nowUs();
    this.#onArrived = onArrived;
    this.rate = 0;
    this.#setActive(this, true);
  }

  /** Gives up what is wanted: how many bytes of it have come. */
  interrupt(): number {
    if (this.#onArrived === undefined) return 0;
    this.advance();
    this.close();
    return Math.floor(this.#arrived);
  }

  /** Gives up what is wanted. Idempotent. */
  close(): void {
    this.#timer?.cancel();
    if (this.#onArrived === undefined) return;
    this.#onArrived = undefined;
    this.#setActive(this, false);
  }

  /** Accounts for the time since the last call. */
  advance(): void {
    const nowUs = this.#kernel.nowUs();
    const bytes = Math.min(this.#wanted - this.#arrived, (this.rate * (nowUs - this.#sinceUs)) / 1_000_000);
    this.#arrived += bytes;
    this.#sinceUs = nowUs;
    for (const link of this.path) link.carried += bytes;
  }

  /** Takes the new rate, and says when to look again. */
  plan(): void {
    if (this.nextRate === this.rate && this.#timer !== undefined) return;
    this.rate = this.nextRate;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.rate === 0) return;
    const leftUs = Math.ceil(((this.#wanted - this.#arrived) * 1_000_000) / this.rate);
    // At a trickle the quantum is as long as a byte takes.
    const quantumUs = Math.max(this.#quantumUs, Math.ceil(1_000_000 / this.rate));
    this.#timer = this.#kernel.schedule(Math.min(leftUs, quantumUs), () => {
      this.#timer = undefined;
      this.#look();
    });
  }

  #look(): void {
    this.advance();
    const left = this.#wanted - this.#arrived;
    const bytes = left < 0.5 ? this.#wanted : Math.floor(this.#arrived);
    const onArrived = this.#onArrived;
    this.#onArrived = undefined;
    this.#setActive(this, false);
    onArrived?.(bytes);
  }
}
