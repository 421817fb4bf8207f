import type { FlowNetwork, Link } from './flow-network.ts';

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
export interface Host {
  readonly name: string;
  readonly zone: string;
  readonly up: Link;
  readonly down: Link;
  readonly mirrorCpu: Link;
  /** False while its cable is out: packets vanish both ways. */
  isPlugged: boolean;
}

export function createHost(flows: FlowNetwork, spec: HostSpec): Host {
  const { name, zone } = spec;
  return {
    name,
    zone,
    up: flows.addLink(`${name} up`, spec.upBytesPerSecond),
    down: flows.addLink(`${name} down`, spec.downBytesPerSecond),
    mirrorCpu: flows.addLink(`${name} mirror`, spec.mirrorBytesPerSecond),
    isPlugged: true,
  };
}
