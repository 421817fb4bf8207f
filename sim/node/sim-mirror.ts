import { createMirror, createRegistryFilter } from '../../core/index.ts';
import type { Clock, Digester, Limits, MemberKind, MirrorNode, MirrorOptions, MirrorPorts } from '../../core/index.ts';
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
import { Discovery } from './discovery.ts';
import { emptyRoster } from './member-view.ts';
import { newSeat } from './new-seat.ts';
import { createSimClock } from './sim-clock.ts';
import type { WallClock } from './sim-clock.ts';
import { createSimMembership } from './sim-membership.ts';
import { createSimObserver } from './sim-observer.ts';
import { createSimPeers } from './sim-peers.ts';
import { createSimProbe } from './sim-probe.ts';
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
}

export interface SimMirrorOptions {
  readonly host: Host;
  readonly kind: MemberKind;
  readonly limits: Limits;
  readonly spec?: MirrorSpec | undefined;
  /** How often it is made to behave rarely, where it may. */
  readonly buggifyIn64: number;
  /** What it is built on instead of its ports, which make wrong what is kept too long, say. @default its ports */
  readonly wrapPorts?: (ports: MirrorPorts) => MirrorPorts;
}

/** How often a mirror that drains looks whether all bodies have ended. */
const drainLookUs = 100_000;

/** The production mirror of one node, over simulated ports; started, killed and started again. */
export class SimMirror implements NodeMirror {
  readonly party: Party;
  #seat: Seat;
  readonly #deps: SimMirrorDeps;
  readonly #options: SimMirrorOptions;
  #node: MirrorNode | undefined;
  #lives = 0;
  #names = 0;

  constructor(deps: SimMirrorDeps, options: SimMirrorOptions) {
    this.#deps = deps;
    this.#options = options;
    const { host } = options;
    const life = new Life(deps.kernel);
    life.end();
    this.party = { host, role: 'mirror', life, server: undefined };
    this.#seat = newSeat(host.name, this.party, options.kind, deps.directory, deps.digester);
    deps.directory.add(this.#seat);
  }

  /** Under which the others know it now. */
  get seat(): Seat {
    return this.#seat;
  }

  /** Begins a new life. The first one begins among members that have met it long ago; each later one knows nobody, and asks DNS. */
  start(): void {
    if (this.#node !== undefined) return;
    const { kernel, wall } = this.#deps;
    const seat = this.#seat;
    const life = new Life(kernel);
    const clock = createSimClock(kernel, life, wall);
    this.#lives += 1;
    // As ours do: the wall clock's milliseconds, so that a later start has a higher one, unless the clock was set back.
    seat.self = Object.freeze({ ...seat.self, incarnation: Math.floor(clock.wallUs() / 1000) });
    seat.busyUntilUs = 0;
    this.party.life = life;
    const { limits, spec, wrapPorts = (ports) => ports } = this.#options;
    const node = createMirror(wrapPorts(this.#ports(clock)), mirrorOptionsOf(limits, spec));
    this.#node = node;
    this.party.server = node;
    node.start();
    this.#discover();
  }

  /** The next life has another identity, at another address; the old one is left behind in what others know. */
  rename(): void {
    const { digester, directory, kernel } = this.#deps;
    this.kill();
    this.#seat.isGone = true;
    directory.names.unlist(this.#seat.self.id, kernel.nowUs());
    this.#names += 1;
    const id = `${this.#options.host.name}-${this.#names}`;
    this.#seat = newSeat(id, this.party, this.#options.kind, directory, digester);
    directory.add(this.#seat);
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
    const seat = this.#seat;
    this.party.server = undefined;
    this.party.life.end();
    seat.handler = undefined;
    seat.listeners.clear();
    seat.hinted.clear();
    seat.view.share(emptyRoster);
    this.#deps.directory.links.drop(seat);
    this.#deps.store.forgetListeners();
    this.#deps.wire.forget(this.party);
    this.#node = undefined;
  }

  #ports(clock: Clock): MirrorPorts {
    const { digester, directory, random, store, trace, wire } = this.#deps;
    const { buggifyIn64, limits } = this.#options;
    const { name } = this.#options.host;
    const seat = this.#seat;
    return {
      clock,
      random: random.fork(`mirror:${name}:${this.#lives}`),
      digester,
      store,
      membership: createSimMembership(seat),
      records: createSimRecords(seat, directory),
      peers: createSimPeers(seat, wire, directory, limits),
      observer: createSimObserver(trace, name),
      probe: createSimProbe(trace, name, random, buggifyIn64),
    };
  }

  #discover(): void {
    const { directory, random } = this.#deps;
    const { host, limits } = this.#options;
    const chance = random.fork(`discovery:${host.name}:${this.#lives}`);
    new Discovery(directory, this.#seat, chance, { limits, isSettled: this.#lives === 1 }).start();
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
