import { abortReason, abortedError, onAbort, PeiliError } from '../../core/index.ts';
import type { Body, DistributionResponse, RequestText } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Trace } from '../run/trace.ts';
import type { FlowNetwork, Link } from './flow-network.ts';
import type { Host } from './host.ts';
import type { HttpFault } from './http-fault.ts';
import { closedError, createWireBody } from './wire-body.ts';

/** Who asks or is asked: a program on a host. */
export interface Party {
  readonly host: Host;
  readonly role: 'containerd' | 'mirror' | 'upstream';
}

/** A program that answers. */
export interface Server {
  /** As a mirror does: what `core`'s `Mirror` promises. */
  answer(input: RequestText, signal: AbortSignal): Promise<DistributionResponse>;
}

export interface ExchangeCall {
  readonly id: number;
  readonly from: Party;
  readonly to: Party;
  readonly request: RequestText;
}

export interface ExchangeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Body;
}

export interface WireOptions {
  /** One way between two hosts, microseconds. */
  readonly latencyUs: (from: Host, to: Host) => number;
  /** @default 4 MiB: what Linux' sockets grow to */
  readonly readAheadBytes?: number;
}

/** One host talks to itself: a system call and a copy. */
const loopbackUs = 30;

/** HTTP between the programs of a world. */
export class Wire {
  readonly #kernel: Kernel;
  readonly #flows: FlowNetwork;
  readonly #trace: Trace;
  readonly #options: WireOptions;
  readonly #servers = new Map<string, Server>();
  readonly #rules = new Set<(call: ExchangeCall) => HttpFault | undefined>();
  /** Connections that stand, by their two ends. */
  readonly #idle = new Map<string, number>();
  readonly #lives = new Map<string, AbortController>();
  #last = 0;
  #underWay = 0;

  constructor(kernel: Kernel, flows: FlowNetwork, trace: Trace, options: WireOptions) {
    this.#kernel = kernel;
    this.#flows = flows;
    this.#trace = trace;
    this.#options = options;
  }

  /** The program's port is open from now on. */
  listen(party: Party, server: Server): void {
    this.#servers.set(placeOf(party), server);
    this.#lives.set(placeOf(party), new AbortController());
  }

  /** The program has gone: its port is closed, and every connection of its breaks off. */
  silence(party: Party): void {
    this.#servers.delete(placeOf(party));
    this.#lives.get(placeOf(party))?.abort(closedError('the program is gone'));
    this.#lives.delete(placeOf(party));
    for (const ends of this.#idle.keys()) if (ends.includes(placeOf(party))) this.#idle.delete(ends);
  }

  /** Asks for each exchange that begins what goes wrong with it. The first answer counts. */
  rule(rule: (call: ExchangeCall) => HttpFault | undefined): () => void {
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  /** Exchanges that have not ended. */
  pending(): number {
    return this.#underWay;
  }

  /**
   * One request and the head of its answer. Rejects with `DIAL_REFUSED`, `DIAL_TIMEOUT`, `PEER_CLOSED` or `ABORTED`. Bodies end with `PEER_CLOSED` whatever
   * happened; `onEnd` says what did.
   */
  async exchange(
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
    this.#underWay += 1;
    const life = new AbortController();
    // The server's work ends with the client's wish for it, and the exchange with either program.
    const ends = [signal, this.#lives.get(placeOf(from))?.signal].map((end) =>
      end === undefined
        ? () => undefined
        : onAbort(end, () => {
            life.abort(abortReason(end));
          }),
    );
    const end = (how: string): void => {
      this.#underWay -= 1;
      for (const unhook of ends) unhook();
      this.#trace.emit({ type: 'exchange-end', exchange: call.id, how });
    };
    try {
      await this.#connect(call, fault, life.signal, dialTimeoutUs);
      return await this.#ask(call, fault, life, end);
    } catch (cause) {
      end(cause instanceof PeiliError ? cause.code : 'failed');
      throw cause;
    }
  }

  async #connect(
    { from, to }: ExchangeCall,
    fault: HttpFault | undefined,
    signal: AbortSignal,
    dialTimeoutUs: number,
  ): Promise<void> {
    const ends = `${placeOf(from)}>${placeOf(to)}`;
    const idle = this.#idle.get(ends) ?? 0;
    const isLost = fault?.kind === 'black-hole' || !from.host.isPlugged || !to.host.isPlugged;
    if (idle > 0 && fault?.kind !== 'refuse') {
      this.#idle.set(ends, idle - 1);
      return;
    }
    if (isLost) {
      await this.#wait(dialTimeoutUs, signal);
      throw new PeiliError('DIAL_TIMEOUT', `${to.host.name} does not answer`);
    }
    await this.#wait(2 * this.#latencyUs(from, to), signal);
    if (fault?.kind === 'refuse' || !this.#servers.has(placeOf(to)))
      throw new PeiliError('DIAL_REFUSED', `${to.host.name} refused`);
  }

  async #ask(
    call: ExchangeCall,
    fault: HttpFault | undefined,
    life: AbortController,
    end: (how: string) => void,
  ): Promise<ExchangeAnswer> {
    const { from, to, request, id } = call;
    await this.#wait(this.#latencyUs(from, to), life.signal);
    const server = this.#servers.get(placeOf(to));
    const serverLife = this.#lives.get(placeOf(to));
    if (server === undefined || serverLife === undefined) throw closedError('nobody is there');
    const unhook = onAbort(serverLife.signal, () => {
      life.abort(closedError('the program is gone'));
    });
    try {
      if (fault?.kind === 'silent-head' || !to.host.isPlugged) await this.#never(life.signal);
      const answer =
        fault?.kind === 'status'
          ? { status: fault.status, headers: {} }
          : await settle(server.answer(request, life.signal), life.signal);
      await this.#wait(this.#latencyUs(to, from), life.signal);
      this.#trace.emit({ type: 'head', exchange: id, status: answer.status, headers: answer.headers });
      const { status, headers } = answer;
      const body = 'body' in answer ? answer.body : undefined;
      if (body === undefined) {
        unhook();
        this.#keep(call);
        end('complete');
        return { status, headers };
      }
      return {
        status,
        headers,
        body: this.#body(call, body, fault, life, (how) => {
          unhook();
          end(how);
        }),
      };
    } catch (cause) {
      unhook();
      life.abort(abortedError());
      throw cause;
    }
  }

  #body(
    call: ExchangeCall,
    inner: Body,
    fault: HttpFault | undefined,
    life: AbortController,
    end: (how: string) => void,
  ): Body {
    const { from, to, id } = call;
    const cap = fault?.kind === 'trickle' ? fault.bytesPerSecond : Infinity;
    const flow = this.#flows.open(pathOf(to, from), cap);
    return createWireBody({
      inner,
      flow,
      fault,
      signal: life.signal,
      readAheadBytes: this.#options.readAheadBytes ?? 4 * 1024 * 1024,
      onBytes: (bytes, isWrong) => {
        this.#trace.emit({ type: 'bytes', exchange: id, bytes, isWrong });
      },
      onEnded: (how) => {
        if (how === 'complete') this.#keep(call);
        else life.abort(abortedError());
        end(how);
      },
    });
  }

  #keep({ from, to }: ExchangeCall): void {
    const ends = `${placeOf(from)}>${placeOf(to)}`;
    this.#idle.set(ends, (this.#idle.get(ends) ?? 0) + 1);
  }

  #faultOf(call: ExchangeCall): HttpFault | undefined {
    for (const rule of this.#rules) {
      const fault = rule(call);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #latencyUs(from: Party, to: Party): number {
    return from.host === to.host ? loopbackUs : this.#options.latencyUs(from.host, to.host);
  }

  #wait(delayUs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#kernel.schedule(delayUs, () => {
        unhook();
        resolve();
      });
      const unhook = onAbort(signal, () => {
        timer.cancel();
        reject(abortReason(signal));
      });
    });
  }

  #never(signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      onAbort(signal, () => {
        reject(abortReason(signal));
      });
    });
  }
}

function placeOf({ host, role }: Party): string {
  return `${host.name}/${role}`;
}

function pathOf(from: Party, to: Party): readonly Link[] {
  const cpus = [from, to].filter(({ role }) => role === 'mirror').map(({ host }) => host.mirrorCpu);
  return from.host === to.host ? cpus : [from.host.up, to.host.down, ...cpus];
}

function settle<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const unhook = onAbort(signal, () => {
      reject(abortReason(signal));
    });
    promise.then(
      (value) => {
        unhook();
        resolve(value);
      },
      (cause: unknown) => {
        unhook();
        reject(cause);
      },
    );
  });
}
