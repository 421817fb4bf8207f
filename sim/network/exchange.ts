import { abortedError, abortReason, onAbort, PeiliError } from '../../core/index.ts';
import type { Body, DistributionResponse, RequestText, Timer } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Life } from '../kernel/life.ts';
import type { Trace } from '../run/trace.ts';
import { breakHead, breakRequest } from './break-head.ts';
import type { Flow } from './flow.ts';
import type { HttpFault } from './http-fault.ts';
import type { Party } from './party.ts';
import type { Passage } from './passage.ts';
import { patienceOf } from './patience.ts';
import { closedError, WireBody } from './wire-body.ts';

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
  readonly passage: Passage;
  /** Until a connection stands: one, and one more with TLS. */
  readonly dialRoundTrips: number;
  readonly readAheadBytes: number;
  readonly fault: HttpFault | undefined;
  /** The connection that is used, and which run of the server took it; undefined: one is to be dialled. */
  readonly connectedTo: Life | undefined;
  readonly openFlow: (capBytesPerSecond: number, isFresh: boolean) => Flow;
  /** Once, at its end; `flow`: the connection stands, and may be used again. */
  readonly onEnd: (isReusable: boolean, flow: Flow | undefined) => void;
}

/**
 * One request on its way and its answer back. Each side sees what its own program would: what comes to it goes through its life, and when the other side is gone
 * it finds the connection closed.
 */
export class Exchange {
  readonly #call: ExchangeCall;
  readonly #deps: ExchangeDeps;
  readonly #fromLife: Life;
  readonly #unhook: (() => void)[] = [];
  readonly #signal: AbortSignal;
  #unhookSignal: () => void = () => undefined;
  /** Aborted at the server when the client has gone. */
  #wanted: AbortController | undefined;
  /** The answer's body, as long as its head is on its way. */
  #unsent: Body | undefined;
  #connectedTo: Life | undefined;
  #isFresh = false;
  #body: WireBody | undefined;
  #flow: Flow | undefined;
  #timer: Timer | undefined;
  #isEnded = false;
  #resolve: (answer: ExchangeAnswer) => void = () => undefined;
  #reject: (cause: unknown) => void = () => undefined;

  constructor(call: ExchangeCall, deps: ExchangeDeps, signal: AbortSignal) {
    this.#call = call;
    this.#signal = signal;
    this.#deps = deps;
    this.#fromLife = call.from.life;
    this.#connectedTo = deps.connectedTo;
  }

  start(): Promise<ExchangeAnswer> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#unhookSignal = onAbort(this.#signal, () => {
        this.#end('ABORTED', abortReason(this.#signal));
      });
      this.#unhook.push(
        this.#fromLife.onEnd(() => {
          this.#end('client-gone', undefined);
        }),
      );
      if (this.#connectedTo === undefined) this.#dial();
      else this.#send();
    });
  }

  #dial(): void {
    const { dialTimeoutUs, fault, passage } = this.#deps;
    const { from, to } = this.#call;
    this.#isFresh = true;
    const canPass = (): boolean =>
      fault?.kind !== 'black-hole' && passage.isOpen(from.host, to.host) && passage.isOpen(to.host, from.host);
    if (canPass()) this.#handshake();
    else this.#dialAgain(canPass, dialTimeoutUs, firstRetryUs);
  }

  /** As the kernel does with a SYN that nobody answers: after a second, after two more, and so on (RFC 6298). */
  #dialAgain(canPass: () => boolean, leftUs: number, retryUs: number): void {
    this.#after(Math.min(leftUs, retryUs), () => {
      if (leftUs <= retryUs)
        this.#end('DIAL_TIMEOUT', new PeiliError('DIAL_TIMEOUT', `${this.#call.to.host.name} does not answer`));
      else if (canPass()) this.#handshake();
      else this.#dialAgain(canPass, leftUs - retryUs, 2 * retryUs);
    });
  }

  #handshake(): void {
    const { dialRoundTrips, fault, latencyUs } = this.#deps;
    const { to } = this.#call;
    this.#after(2 * latencyUs, () => {
      if (fault?.kind === 'refuse' || to.server === undefined) {
        this.#end('DIAL_REFUSED', new PeiliError('DIAL_REFUSED', `${to.host.name} refused`));
        return;
      }
      this.#connectedTo = to.life;
      if (dialRoundTrips === 1) this.#send();
      else
        this.#after(2 * latencyUs * (dialRoundTrips - 1), () => {
          this.#send();
        });
    });
  }

  /** The other side has closed the connection before it answered: one that stood already may have been closed before the request came, and another is dialled. */
  #onClosed(how: string): void {
    if (this.#isFresh) this.#end(how, closedError('the program is gone'));
    else this.#dial();
  }

  /** A server that has gone, or takes its leave, has closed the connections that carried nothing. */
  #refuse(): void {
    this.#after(this.#deps.latencyUs, () => {
      this.#onClosed('PEER_CLOSED');
    });
  }

  #send(): void {
    const { fault } = this.#deps;
    if (fault?.kind === 'black-hole') return;
    this.#travel(this.#call.from, this.#call.to, () => {
      const { server, life } = this.#call.to;
      if (life !== this.#connectedTo || server === undefined) {
        this.#refuse();
        return;
      }
      this.#unhook.push(
        life.onEnd(() => {
          this.#onServerGone();
        }),
      );
      life.run(() => {
        this.#answer(life);
      });
    });
  }

  #onServerGone(): void {
    if (this.#body !== undefined) {
      this.#body.onServerGone();
      return;
    }
    this.#timer?.cancel();
    this.#travel(this.#call.to, this.#call.from, () => {
      this.#onClosed('server-gone');
    });
  }

  /** In the server. */
  #answer(life: Life): void {
    const { fault } = this.#deps;
    const { server } = this.#call.to;
    if (this.#isEnded || fault?.kind === 'silent-head') return;
    if (server === undefined) {
      this.#refuse();
      return;
    }
    if (fault?.kind === 'hang-up' || fault?.kind === 'garbage') {
      this.#after(this.#deps.latencyUs, () => {
        if (fault.kind === 'hang-up') this.#end('PEER_CLOSED', closedError('no answer'));
        else this.#end('PEER_PROTOCOL', new PeiliError('PEER_PROTOCOL', 'the answer is not HTTP'));
      });
      return;
    }
    if (fault?.kind === 'status') {
      const { status, retryAfterS } = fault;
      const retry = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
      this.#head({ status, headers: { 'content-length': '0', ...retry } }, life);
      return;
    }
    this.#wanted = new AbortController();
    server.answer(breakRequest(this.#call.request, fault), this.#wanted.signal, this.#call.from).then(
      (answer) => {
        life.run(() => {
          if (this.#isEnded) void answer.body?.return();
          else this.#unsent = answer.body;
          if (this.#isEnded) return;
          if (fault?.kind === 'slow-head')
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
    this.#travel(this.#call.to, this.#call.from, () => {
      const { status, headers } = answer;
      this.#deps.trace.emit({ type: 'head', exchange: this.#call.id, status, headers });
      const hasBody = answer.body !== undefined && headers['content-length'] !== '0';
      if (!hasBody) {
        if (answer.body !== undefined) void giveBack(answer.body);
        this.#answerWith({ status, headers });
        this.#end('complete', undefined);
        return;
      }
      this.#unhookSignal();
      this.#unsent = undefined;
      this.#body = this.#open(answer.body, headers['content-length'], life);
      this.#answerWith({ status, headers, body: this.#body });
    });
  }

  #answerWith(answer: ExchangeAnswer): void {
    this.#fromLife.run(() => {
      this.#resolve(answer);
    });
  }

  #open(inner: Body, length: string | undefined, life: Life): WireBody {
    const { fault, kernel, openFlow, readAheadBytes, trace } = this.#deps;
    this.#flow = openFlow(fault?.kind === 'trickle' ? fault.bytesPerSecond : Infinity, this.#isFresh);
    return new WireBody({
      inner,
      lengthBytes: length === undefined ? undefined : Number(length),
      flow: this.#flow,
      fault,
      serverLife: life,
      clientLife: this.#fromLife,
      signal: this.#signal,
      patience: patienceOf(this.#call.from, this.#call.to),
      readAheadBytes,
      nowUs: () => kernel.nowUs(),
      onBytes: (bytes, isWrong, sinceUs, symbols) => {
        trace.emitBytes(this.#call.id, bytes, isWrong, sinceUs, symbols?.blob, symbols?.offset);
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
    this.#unhookSignal();
    for (const unhook of this.#unhook) unhook();
    const { fault, onEnd, trace } = this.#deps;
    trace.emit({ type: 'exchange-end', exchange: this.#call.id, how });
    onEnd(how === 'complete' && fault?.kind !== 'surplus', this.#flow);
    if (how === 'complete') return;
    this.#body?.close(cause);
    if (cause !== undefined) {
      this.#fromLife.run(() => {
        this.#reject(cause);
      });
    }
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    const unsent = this.#unsent;
    this.#call.to.life.run(() => {
      wanted.abort(goneError);
      void unsent?.return();
    });
  }

  /** One way, as soon as packets pass. */
  #travel(from: Party, to: Party, callback: () => void): void {
    this.#after(this.#deps.latencyUs, () => {
      this.#deps.passage.whenOpen(from.host, to.host, () => {
        if (!this.#isEnded) callback();
      });
    });
  }

  #after(delayUs: number, callback: () => void): void {
    this.#timer = this.#deps.kernel.schedule(delayUs, callback);
  }
}

const firstRetryUs = 1_000_000;

/** Made once: a stack is dear, and says nothing here. */
const goneError = abortedError();

/** A body of which nothing is sent: read to its end, if that is near, or given back. */
async function giveBack(body: Body): Promise<void> {
  const { done } = await body.next();
  if (done !== true) await body.return();
}
