import type { FlowNetwork } from './flow-network.ts';
import type { Link } from './link.ts';

export interface HostSpec {
  readonly name: string;
  /** Empty when unknown. */
  readonly zone: string;
  readonly upBytesPerSecond: number;
  readonly downBytesPerSecond: number;
  /** What its mirror can push through one processor. */
  readonly mirrorBytesPerSecond: number;
}

/** A machine with a cable. */
export class Host {
  readonly name: string;
  readonly zone: string;
  readonly up: Link;
  readonly down: Link;
  readonly mirrorCpu: Link;
  readonly #flows: FlowNetwork;
  readonly #spec: HostSpec;
  /** Packets to it and from it take so much longer. */
  addedLatencyUs = 0;
  #isPlugged = true;
  #waiting: (() => void)[] = [];

  constructor(flows: FlowNetwork, spec: HostSpec) {
    this.#flows = flows;
    this.#spec = spec;
    this.name = spec.name;
    this.zone = spec.zone;
    this.up = flows.addLink(`${spec.name} up`, spec.upBytesPerSecond);
    this.down = flows.addLink(`${spec.name} down`, spec.downBytesPerSecond);
    this.mirrorCpu = flows.addLink(`${spec.name} mirror`, spec.mirrorBytesPerSecond);
  }

  /** False while its cable is out: packets vanish both ways. */
  get isPlugged(): boolean {
    return this.#isPlugged;
  }

  /** What the cable carries each way; undefined: as at first. */
  setRate(bytesPerSecond: number | undefined): void {
    this.#flows.setRate(this.up, bytesPerSecond ?? this.#spec.upBytesPerSecond);
    this.#flows.setRate(this.down, bytesPerSecond ?? this.#spec.downBytesPerSecond);
  }

  /** Its mirror needs so many times as long for a byte. */
  slowMirror(times: number): void {
    this.#flows.setRate(this.mirrorCpu, this.#spec.mirrorBytesPerSecond / times);
  }

  unplug(): void {
    this.#isPlugged = false;
    this.setRate(0);
  }

  plug(): void {
    this.#isPlugged = true;
    this.setRate(undefined);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }

  /** Calls back now or when the cable is in again: TCP sends again what was lost. */
  whenPlugged(callback: () => void): void {
    if (this.#isPlugged) callback();
    else this.#waiting.push(callback);
  }
}
