import { createMirror, createRegistryFilter } from '../../core/index.ts';
import type { Digester, Limits, MemberKind, MirrorNode, MirrorOptions, Probe } from '../../core/index.ts';
import type { SimStore } from '../containerd/sim-store.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { Host } from '../network/host.ts';
import type { Party } from '../network/party.ts';
import type { Wire } from '../network/wire.ts';
import type { Trace } from '../run/trace.ts';
import type { MirrorSpec } from '../scenario/scenario.ts';
import type { Directory, Seat } from './directory.ts';
import type { NodeMirror } from '../policies/policy.ts';
import { Life } from '../kernel/life.ts';
import { createSimClock } from './sim-clock.ts';
import type { WallClock } from './sim-clock.ts';
import { createSimMembership } from './sim-membership.ts';
import { createSimPeers } from './sim-peers.ts';
import { createSimRecords } from './sim-records.ts';

export interface SimMirrorDeps {
  readonly kernel: Kernel;
  readonly wire: Wire;
  readonly trace: Trace;
  readonly directory: Directory;
  readonly random: SimRandom;
  readonly digester: Digester;
  readonly store: SimStore;
  readonly wall: WallClock;
  readonly latencyUs: (from: Host, to: Host) => number;
}

export interface SimMirrorOptions {
  readonly host: Host;
  readonly kind: MemberKind;
  readonly limits: Limits;
  readonly spec?: MirrorSpec | undefined;
  readonly probe?: Probe;
}

/** How often a mirror that drains looks whether all bodies have ended. */
const drainLookUs = 100_000;

/** The production mirror of one node, over simulated ports; started, killed and started again. */
export class SimMirror implements NodeMirror {
  readonly seat: Seat;
  readonly party: Party;
  readonly #deps: SimMirrorDeps;
  readonly #options: SimMirrorOptions;
  #node: MirrorNode | undefined;
  #incarnation = 0;

  constructor(deps: SimMirrorDeps, options: SimMirrorOptions) {
    this.#deps = deps;
    this.#options = options;
    const { host, kind } = options;
    const { name, zone } = host;
    const life = new Life(deps.kernel);
    life.end();
    this.party = { host, role: 'mirror', life, server: undefined };
    this.seat = {
      party: this.party,
      self: {
        id: name,
        position: deps.digester.hash('sha256', new TextEncoder().encode(name)),
        addresses: [name],
        registryPort: 5_000,
        kind,
        zone,
        incarnation: 0,
        connected: true,
      },
      handler: undefined,
      isMute: false,
      known: new Map(),
      view: undefined,
      listeners: new Set(),
    };
    deps.directory.add(this.seat);
  }

  /** Begins a new incarnation, which knows nothing but the members it is told of. */
  start(): void {
    if (this.#node !== undefined) return;
    const { digester, directory, kernel, random, store, trace, wall, wire, latencyUs } = this.#deps;
    const { limits, probe, spec } = this.#options;
    const { seat } = this;
    this.#incarnation += 1;
    seat.self = { ...seat.self, incarnation: this.#incarnation };
    const life = new Life(kernel);
    const clock = createSimClock(kernel, life, wall);
    const { name } = this.#options.host;
    const node = createMirror(
      {
        clock,
        random: random.fork(`mirror:${name}:${this.#incarnation}`),
        digester,
        store,
        membership: createSimMembership(seat),
        records: createSimRecords(seat, { kernel, directory, latencyUs, handlingUs: 50 }),
        peers: createSimPeers(seat, wire, directory, limits),
        observer: {
          onPull: (event) => {
            trace.emit({ type: 'mirror-pull', node: name, event });
          },
          onNode: (event) => {
            trace.emit({ type: 'mirror-node', node: name, event });
          },
        },
        ...(probe === undefined ? {} : { probe }),
      },
      mirrorOptionsOf(limits, spec),
    );
    this.#node = node;
    this.party.life = life;
    this.party.server = node;
    node.start();
  }

  setMute(isMute: boolean): void {
    this.seat.isMute = isMute;
  }

  /** As SIGTERM: withdraws, lets bodies in flight end, at most `limits.drainTimeoutUs`, and goes. */
  drain(): void {
    const node = this.#node;
    const { life } = this.party;
    if (node === undefined || life.isOver) return;
    const { limits } = this.#options;
    const end = (): void => {
      if (this.party.life === life) this.kill();
    };
    this.party.server = undefined;
    void node.drain(new AbortController().signal).catch(() => undefined);
    // The world's timers: what the mirror itself left behind is told apart by its own.
    const { kernel } = this.#deps;
    const look = (): void => {
      if (this.#deps.wire.pendingAt(this.party) === 0) end();
      else kernel.schedule(drainLookUs, look);
    };
    kernel.schedule(drainLookUs, look);
    kernel.schedule(limits.drainTimeoutUs, end);
  }

  /** Lets go of everything at once, as its program may before it ends. */
  dispose(): void {
    this.#node?.dispose();
    this.#node = undefined;
    this.party.server = undefined;
  }

  /** As SIGKILL or a power cut: nothing is said to anybody, no promise of it settles. */
  kill(): void {
    this.party.server = undefined;
    this.party.life.end();
    this.seat.handler = undefined;
    this.seat.listeners.clear();
    this.#deps.store.forgetListeners();
    this.#deps.wire.forget(this.party);
    this.#node = undefined;
  }
}

function mirrorOptionsOf(limits: Limits, spec: MirrorSpec = {}): MirrorOptions {
  const { blobVerification, tagMaxAgeUs, ...filter } = spec;
  return {
    limits,
    filter: createRegistryFilter(filter),
    ...(blobVerification === undefined ? {} : { blobVerification }),
    ...(tagMaxAgeUs === undefined ? {} : { tagMaxAgeUs }),
  };
}
