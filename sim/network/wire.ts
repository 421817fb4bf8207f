import { defaultLimits, throwIfAborted } from '../../core/index.ts';
import type { RequestText } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Trace } from '../run/trace.ts';
import { Connections, initialWindowBytes, windowAfter } from './connections.ts';
import type { IdleConnection, PoolLimits } from './connections.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeAnswer, ExchangeCall } from './exchange.ts';
import type { Flow } from './flow.ts';
import type { FlowNetwork } from './flow-network.ts';
import type { Host } from './host.ts';
import type { HttpFault } from './http-fault.ts';
import type { Link } from './link.ts';
import type { Party } from './party.ts';
import { Passage } from './passage.ts';

export interface WireOptions {
  /** One way between two hosts, microseconds. */
  readonly latencyUs: (from: Host, to: Host) => number;
  /** Which packets pass. @default all that cables let through */
  readonly passage?: Passage;
  /** What carries bytes between two hosts besides their cables. @default nothing */
  readonly linkBetween?: (from: Host, to: Host) => Link | undefined;
  /** Round trips until a connection stands. @default 1: TCP; TLS takes one more */
  readonly dialRoundTrips?: (to: Party) => number;
  /** @default 4 MiB: what Linux' sockets grow to */
  readonly readAheadBytes?: number;
}

/** One host talks to itself: a system call and a copy. */
const loopbackUs = 30;
const usualReadAheadBytes = 4 * 1024 * 1024;

const mirrorPool: PoolLimits = {
  perPeerMax: defaultLimits.idleConnectionsPerPeerMax,
  idleUs: defaultLimits.idleConnectionTimeoutUs,
};
/** containerd's transport: Go keeps two for a host, containerd closes them after 30 s. */
const clientPool: PoolLimits = { perPeerMax: 2, idleUs: 30_000_000 };

const freshConnection = { windowBytes: initialWindowBytes, unacknowledgedBytes: 0 };

/** HTTP between the programs of a world. */
export class Wire {
  readonly #kernel: Kernel;
  readonly #flows: FlowNetwork;
  readonly #trace: Trace;
  readonly #options: WireOptions;
  readonly #passage: Passage;
  readonly #rules = new Set<(call: ExchangeCall) => HttpFault | undefined>();
  readonly #connections = new Connections();
  #last = 0;
  readonly #calls = new Set<ExchangeCall>();

  constructor(kernel: Kernel, flows: FlowNetwork, trace: Trace, options: WireOptions) {
    this.#kernel = kernel;
    this.#flows = flows;
    this.#trace = trace;
    this.#options = options;
    this.#passage = options.passage ?? new Passage();
  }

  /** Asks for each exchange that begins what goes wrong with it. The first answer counts. */
  rule(rule: (call: ExchangeCall) => HttpFault | undefined): () => void {
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  /** All of them. */
  open(): Iterable<ExchangeCall> {
    return this.#calls;
  }

  /** Exchanges that have begun at this program, or are asked of it. */
  pendingAt(party: Party): number {
    let count = 0;
    for (const { from, to } of this.#calls) if (from === party || to === party) count += 1;
    return count;
  }

  /** The program has gone: its kernel closes its connections. */
  forget(party: Party): void {
    this.#connections.forget(party);
  }

  /**
   * One request and the head of its answer. Rejects with `DIAL_REFUSED`, `DIAL_TIMEOUT`, `PEER_CLOSED`, `PEER_PROTOCOL` or `ABORTED`; bodies end with `PEER_CLOSED`.
   * `dialTimeoutUs`: after so long without a connection.
   */
  async exchange(
    from: Party,
    to: Party,
    request: RequestText,
    signal: AbortSignal,
    { dialTimeoutUs }: { readonly dialTimeoutUs: number },
  ): Promise<ExchangeAnswer> {
    throwIfAborted(signal);
    this.#last += 1;
    const call: ExchangeCall = { id: this.#last, from, to, request };
    const fault = this.#faultOf(call);
    this.#trace.emit({ type: 'request', exchange: call.id, from, to, request });
    this.#calls.add(call);
    const pool = from.role === 'mirror' ? mirrorPool : clientPool;
    const { latencyUs, dialRoundTrips, readAheadBytes = usualReadAheadBytes } = this.#options;
    const delayUs = from.host === to.host ? loopbackUs : latencyUs(from.host, to.host);
    const idle = fault?.kind === 'refuse' ? undefined : this.#connections.take(from, to, this.#kernel.nowUs(), pool);
    const exchange = new Exchange(
      call,
      {
        kernel: this.#kernel,
        trace: this.#trace,
        passage: this.#passage,
        latencyUs: delayUs,
        dialTimeoutUs,
        dialRoundTrips: dialRoundTrips?.(to) ?? 1,
        readAheadBytes,
        fault,
        connectedTo: idle?.serverLife,
        openFlow: (cap, isFresh) => this.#open(call, cap, delayUs, isFresh ? undefined : idle),
        onEnd: (isReusable, flow) => {
          this.#calls.delete(call);
          if (isReusable) this.#keep(call, flow ?? idle, pool);
        },
      },
      signal,
    );
    return exchange.start();
  }

  #open({ from, to }: ExchangeCall, cap: number, latencyUs: number, idle: IdleConnection | undefined): Flow {
    const capBytesPerSecond = Math.min(cap, to.flowBytesPerSecond ?? Infinity);
    const path = this.#path(to, from);
    if (from.host === to.host) return this.#flows.open(path, { capBytesPerSecond });
    const windowBytes = idle === undefined ? initialWindowBytes : windowAfter(idle, this.#kernel.nowUs());
    return this.#flows.open(path, { capBytesPerSecond, windowBytes, roundTripUs: 2 * latencyUs });
  }

  #path(from: Party, to: Party): readonly Link[] {
    // Bytes cost the mirror that sends them: as a holder 0.45 CPU s/GiB and as a relay, what it receives included, 0.5 are nearly the same.
    const cpus = from.role === 'mirror' ? [from.host.mirrorCpu] : [];
    if (from.host === to.host) return cpus;
    const between = this.#options.linkBetween?.(from.host, to.host);
    const gate = this.#passage.gateBetween(from.host, to.host);
    const own = [from.host.up, to.host.down, ...cpus];
    return between === undefined && gate === undefined
      ? own
      : [...own, between, gate].filter((link) => link !== undefined);
  }

  #keep({ from, to }: ExchangeCall, used: Flow | IdleConnection | undefined, pool: PoolLimits): void {
    if (from.life.isOver || to.life.isOver) return;
    const { windowBytes, unacknowledgedBytes } = used ?? freshConnection;
    const [sinceUs, serverLife] = [this.#kernel.nowUs(), to.life];
    this.#connections.keep(from, to, { sinceUs, serverLife, windowBytes, unacknowledgedBytes }, pool);
  }

  #faultOf(call: ExchangeCall): HttpFault | undefined {
    for (const rule of this.#rules) {
      const fault = rule(call);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
}
