import type { SimStore } from '../containerd/sim-store.ts';
import type { Limits } from '../../core/index.ts';
import type { Host } from '../network/host.ts';
import type { Party } from '../network/party.ts';
import type { WorldParts } from '../run/world-parts.ts';
import type { MirrorSpec } from '../scenario/scenario.ts';
import type { Seat } from '../node/directory.ts';
import type { WallClock } from '../node/sim-clock.ts';

/** The mirror of one node, as the world handles it. */
export interface NodeMirror {
  readonly party: Party;
  start(): void;
  /** As SIGKILL. */
  kill(): void;
  /** As SIGTERM: it goes when bodies in flight have ended. */
  drain(): void;
  /** Lets go of everything at once. */
  dispose(): void;
  /** Where routers of our kind find it; other kinds have none. */
  readonly seat?: Seat;
  /** As `kill()`, and whoever starts there next is somebody else. */
  rename?(): void;
}

/** Where a mirror is to stand. */
export interface MirrorPlace {
  /** Of the node. */
  readonly index: number;
  readonly host: Host;
  readonly store: SimStore;
  readonly wall: WallClock;
  readonly limits: Limits;
  /** How it is configured; undefined: as by default. */
  readonly spec: MirrorSpec | undefined;
  /** How often it is made to behave rarely, where it may. */
  readonly buggifyIn64: number;
}

/** How images get to the nodes of one world. */
export interface PolicyInWorld {
  /** Undefined: the node has none, and asks the upstream alone. */
  createMirror(place: MirrorPlace): NodeMirror | undefined;
  /** All mirrors have been started: what they know of each other at first. */
  begin?(): void;
}

/** A way to distribute images, ours or another one to compare it with. */
export interface Policy {
  readonly name: string;
  /** Laws are watched in a run of it: those of the contract hold of our own mirror alone. */
  readonly isOurs: boolean;
  inWorld(parts: WorldParts): PolicyInWorld;
}
