import { abortedError, abortReason, onAbort, PeiliError } from '../../core/index.ts';
import type { Body, DistributionResponse, RequestText, Timer } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Life } from '../kernel/life.ts';
import type { Trace } from '../run/trace.ts';
import { breakHead, breakRequest } from './break-head.ts';
import type { Flow } from './flow.ts';
import type { HttpFault } from './http-fault.ts';
import type { Party } from './party.ts';
import { closedError, createWireBody } from './wire-body.ts';

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

export interface ExchangeDeps {
  readonly kernel: Kernel;
  readonly trace: Trace;
  readonly latencyUs: number;
  readonly dialTimeoutUs: number;
  readonly readAheadBytes: number;
  readonly fault: HttpFault | undefined;
  /** A connection that stands already is taken. */
  readonly isConnected: boolean;
  readonly openFlow: (cap: number) => Flow;
  /** Once, at its end; `isReusable`: the connection stands, and may be used again. */
  readonly onEnd: (isReusable: boolean) => void;
}

/**
 * One request on its way and its answer back. Each side sees what its own program would: what comes to it goes through its life, and when the other side is gone
 * it finds the connection closed.
 */
export class Exchange {
  readonly #call: ExchangeCall;
  readonly #deps: ExchangeDeps;
  readonly #fromLife: Life;
  /** Aborted at the server when the client has gone. */
  readonly #wanted = new AbortController();
  readonly #connection = new AbortController();
  readonly #unhook: (() => void)[] = [];
  #timer: Timer | undefined;
  #isEnded = false;
  #resolve: (answer: ExchangeAnswer) => void = () => undefined;
  #reject: (cause: unknown) => void = () => undefined;

  constructor(call: ExchangeCall, deps: ExchangeDeps) {
    this.#call = call;
    this.#deps = deps;
    this.#fromLife = call.from.life;
  }

  start(signal: AbortSignal): Promise<ExchangeAnswer> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#unhook.push(
        onAbort(signal, () => {
          this.#end('ABORTED', abortReason(signal));
        }),
        this.#fromLife.onEnd(() => {
          this.#end('client-gone', undefined);
        }),
      );
      if (!this.#isEnded) this.#dial();
    });
  }

  #dial(): void {
    const { dialTimeoutUs, fault, isConnected, latencyUs } = this.#deps;
    const { from, to } = this.#call;
    if (isConnected) {
      this.#send();
      return;
    }
    if (fault?.kind === 'black-hole' || !from.host.isPlugged || !to.host.isPlugged) {
      this.#after(dialTimeoutUs, () => {
        this.#end('DIAL_TIMEOUT', new PeiliError('DIAL_TIMEOUT', `${to.host.name} does not answer`));
      });
      return;
    }
    this.#after(2 * latencyUs, () => {
      if (fault?.kind === 'refuse' || to.server === undefined) {
        this.#end('DIAL_REFUSED', new PeiliError('DIAL_REFUSED', `${to.host.name} refused`));
      } else this.#send();
    });
  }

  #send(): void {
    this.#travel(() => {
      const { server, life } = this.#call.to;
      if (server === undefined) {
        this.#end('PEER_CLOSED', closedError('nobody is there'));
        return;
      }
      this.#unhook.push(
        life.onEnd(() => {
          this.#after(this.#deps.latencyUs, () => {
            this.#end('server-gone', closedError('the program is gone'));
          });
        }),
      );
      life.run(() => {
        this.#answer(life);
      });
    });
  }

  /** In the server. */
  #answer(life: Life): void {
    const { fault } = this.#deps;
    const { server } = this.#call.to;
    if (this.#isEnded || fault?.kind === 'silent-head' || server === undefined) return;
    if (fault?.kind === 'status') {
      this.#head({ status: fault.status, headers: { 'content-length': '0' } }, life);
      return;
    }
    server.answer(breakRequest(this.#call.request, fault), this.#wanted.signal).then(
      (answer) => {
        life.run(() => {
          if (this.#isEnded) void answer.body?.return();
          else if (fault?.kind === 'slow-head')
            this.#after(fault.delayUs, () => {
              this.#head(answer, life);
            });
          else this.#head(breakHead(answer, fault), life);
        });
      },
      (cause: unknown) => {
        life.run(() => {
          this.#end('PEER_CLOSED', closedError('no answer', cause));
        });
      },
    );
  }

  #head(answer: DistributionResponse, life: Life): void {
    this.#travel(() => {
      const { status, headers } = answer;
      this.#deps.trace.emit({ type: 'head', exchange: this.#call.id, status, headers });
      const body = answer.body === undefined ? undefined : this.#body(answer.body, life);
      this.#fromLife.run(() => {
        this.#resolve({ status, headers, ...(body === undefined ? {} : { body }) });
      });
      if (body === undefined) this.#end('complete', undefined);
    });
  }

  #body(inner: Body, life: Life): Body {
    const { fault, openFlow, readAheadBytes, trace } = this.#deps;
    return createWireBody({
      inner,
      flow: openFlow(fault?.kind === 'trickle' ? fault.bytesPerSecond : Infinity),
      fault,
      serverLife: life,
      clientLife: this.#fromLife,
      signal: this.#connection.signal,
      readAheadBytes,
      onBytes: (bytes, isWrong, symbols) => {
        trace.emitBytes(this.#call.id, bytes, isWrong, symbols?.blob, symbols?.offset);
      },
      onEnded: (how) => {
        this.#end(how, undefined);
      },
    });
  }

  /** `cause`: what the client's call rejects with, where it has not resolved. */
  #end(how: string, cause: PeiliError | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#timer?.cancel();
    for (const unhook of this.#unhook) unhook();
    this.#deps.trace.emit({ type: 'exchange-end', exchange: this.#call.id, how });
    this.#deps.onEnd(how === 'complete');
    if (cause !== undefined) {
      this.#fromLife.run(() => {
        this.#reject(cause);
      });
    }
    if (how === 'complete') return;
    this.#connection.abort(cause ?? abortedError());
    this.#call.to.life.run(() => {
      this.#wanted.abort(abortedError());
    });
  }

  /** One way, as soon as both cables are in. */
  #travel(callback: () => void): void {
    const { from, to } = this.#call;
    this.#after(this.#deps.latencyUs, () => {
      from.host.whenPlugged(() => {
        to.host.whenPlugged(() => {
          if (!this.#isEnded) callback();
        });
      });
    });
  }

  #after(delayUs: number, callback: () => void): void {
    this.#timer = this.#deps.kernel.schedule(delayUs, callback);
  }
}
