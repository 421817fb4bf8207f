import type { RequestText } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Trace } from '../run/trace.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeAnswer, ExchangeCall } from './exchange.ts';
import type { FlowNetwork } from './flow-network.ts';
import type { Host } from './host.ts';
import type { HttpFault } from './http-fault.ts';
import type { Link } from './link.ts';
import { nameOf } from './party.ts';
import type { Party } from './party.ts';

export interface WireOptions {
  /** One way between two hosts, microseconds. */
  readonly latencyUs: (from: Host, to: Host) => number;
  /** @default 4 MiB: what Linux' sockets grow to */
  readonly readAheadBytes?: number;
}

/** One host talks to itself: a system call and a copy. */
const loopbackUs = 30;
const usualReadAheadBytes = 4 * 1024 * 1024;

/** HTTP between the programs of a world. */
export class Wire {
  readonly #kernel: Kernel;
  readonly #flows: FlowNetwork;
  readonly #trace: Trace;
  readonly #options: WireOptions;
  readonly #rules = new Set<(call: ExchangeCall) => HttpFault | undefined>();
  /** Connections that stand, by their two ends. */
  readonly #idle = new Map<string, number>();
  #last = 0;
  readonly #calls = new Set<ExchangeCall>();

  constructor(kernel: Kernel, flows: FlowNetwork, trace: Trace, options: WireOptions) {
    this.#kernel = kernel;
    this.#flows = flows;
    this.#trace = trace;
    this.#options = options;
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

  /** The program has gone: no connection of its stands any more. */
  forget(party: Party): void {
    const name = nameOf(party);
    for (const ends of this.#idle.keys()) if (ends.split('>').includes(name)) this.#idle.delete(ends);
  }

  /**
   * One request and the head of its answer. Rejects with `DIAL_REFUSED`, `DIAL_TIMEOUT`, `PEER_CLOSED` or `ABORTED`; bodies end with `PEER_CLOSED`.
   * `dialTimeoutUs`: after so long without a connection.
   */
  exchange(
    from: Party,
    to: Party,
    request: RequestText,
    signal: AbortSignal,
    { dialTimeoutUs }: { readonly dialTimeoutUs: number },
  ): Promise<ExchangeAnswer> {
    this.#last += 1;
    const call: ExchangeCall = { id: this.#last, from, to, request };
    const fault = this.#faultOf(call);
    this.#trace.emit({ type: 'request', exchange: call.id, from, to, request });
    this.#calls.add(call);
    const exchange = new Exchange(call, {
      kernel: this.#kernel,
      trace: this.#trace,
      latencyUs: from.host === to.host ? loopbackUs : this.#options.latencyUs(from.host, to.host),
      dialTimeoutUs,
      readAheadBytes: this.#options.readAheadBytes ?? usualReadAheadBytes,
      fault,
      isConnected: fault?.kind !== 'refuse' && this.#takeIdle(call),
      openFlow: (cap) => this.#flows.open(pathOf(to, from), { capBytesPerSecond: cap }),
      onEnd: (isReusable) => {
        this.#calls.delete(call);
        if (isReusable) this.#keep(call);
      },
    });
    return exchange.start(signal);
  }

  #takeIdle({ from, to }: ExchangeCall): boolean {
    const ends = endsOf(from, to);
    const idle = this.#idle.get(ends) ?? 0;
    if (idle > 0) this.#idle.set(ends, idle - 1);
    return idle > 0;
  }

  #keep({ from, to }: ExchangeCall): void {
    if (from.life.isOver || to.life.isOver) return;
    const ends = endsOf(from, to);
    this.#idle.set(ends, (this.#idle.get(ends) ?? 0) + 1);
  }

  #faultOf(call: ExchangeCall): HttpFault | undefined {
    for (const rule of this.#rules) {
      const fault = rule(call);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
}

function endsOf(from: Party, to: Party): string {
  return `${nameOf(from)}>${nameOf(to)}`;
}

function pathOf(from: Party, to: Party): readonly Link[] {
  const cpus = [from, to].filter(({ role }) => role === 'mirror').map(({ host }) => host.mirrorCpu);
  return from.host === to.host ? cpus : [from.host.up, to.host.down, ...cpus];
}
