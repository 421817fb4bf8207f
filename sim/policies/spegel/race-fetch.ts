import { abortedError, onAbort } from '../../../core/index.ts';
import type { Timer } from '../../../core/index.ts';
import type { Life } from '../../kernel/life.ts';
import type { ExchangeAnswer } from '../../network/exchange.ts';
import type { Party } from '../../network/party.ts';
import type { Hedger } from './hedger.ts';
import type { PeerIterator } from './peer-iterator.ts';
import { resolveTimeoutUs } from './spegel-release.ts';

export interface RaceDeps {
  readonly life: Life;
  readonly nowUs: () => number;
  readonly hedger: Hedger;
  readonly ask: (peer: Party, signal: AbortSignal) => Promise<ExchangeAnswer>;
}

/** Fetches that hedges and failures may begin, beside the first one. */
const hedgesMax = 3;

/** v0.7: asks peers until one answers with content (`raceFetch` in `pkg/registry/registry.go`). Undefined: given up. */
export function raceFetch(
  deps: RaceDeps,
  peers: PeerIterator,
  signal: AbortSignal,
): Promise<ExchangeAnswer | undefined> {
  return new Promise((resolve) => {
    new Race(deps, peers, resolve).start(signal);
  });
}

class Race {
  readonly #deps: RaceDeps;
  readonly #peers: PeerIterator;
  readonly #resolve: (answer: ExchangeAnswer | undefined) => void;
  readonly #running = new Map<Party, AbortController>();
  readonly #timers: Timer[] = [];
  #idle: Timer | undefined;
  #isRacing = false;
  #isOver = false;
  /** Fetches that may begin: at first one, which does not count as a hedge; then one for each hedge and each failure. */
  #tokens: boolean[] = [false];
  #hedges = 0;
  #isWaiting = false;
  #unhook: () => void = () => undefined;

  constructor(deps: RaceDeps, peers: PeerIterator, resolve: (answer: ExchangeAnswer | undefined) => void) {
    this.#deps = deps;
    this.#peers = peers;
    this.#resolve = resolve;
  }

  start(signal: AbortSignal): void {
    const { hedger, life } = this.#deps;
    this.#unhook = onAbort(signal, () => {
      this.#settle(undefined);
    });
    for (const delayUs of hedger.delaysUs()) {
      this.#timers.push(
        life.schedule(delayUs, () => {
          this.#allow(true);
        }),
      );
    }
    this.#look();
    this.#pump();
  }

  #settle(answer: ExchangeAnswer | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unhook();
    for (const timer of this.#timers) timer.cancel();
    this.#idle?.cancel();
    for (const controller of this.#running.values()) controller.abort(abortedError());
    this.#resolve(answer);
  }

  /** Every turn of the loop: it ends early only while nobody is being asked. */
  #look(): void {
    this.#idle?.cancel();
    if (this.#isOver || this.#running.size > 0) return;
    this.#idle = this.#deps.life.schedule(resolveTimeoutUs, () => {
      this.#settle(undefined);
    });
    const { exhausted } = this.#peers;
    exhausted.wait(() => {
      if (this.#running.size === 0 && exhausted === this.#peers.exhausted) this.#settle(undefined);
    });
  }

  #allow(isHedge: boolean): void {
    this.#tokens.push(isHedge);
    this.#pump();
  }

  /** One after the other: waits at the gate that there was when its turn came, also when there is a newer one. */
  #pump(): void {
    if (this.#isOver || this.#isWaiting || this.#hedges >= hedgesMax) return;
    const token = this.#tokens.shift();
    if (token === undefined) return;
    if (token) this.#hedges += 1;
    this.#isWaiting = true;
    this.#peers.ready.wait(() => {
      // Another program thread goes on, not this one.
      this.#deps.life.schedule(0, () => {
        this.#isWaiting = false;
        this.#fetchNext();
        this.#pump();
      });
    });
  }

  #fetchNext(): void {
    if (this.#isOver) return;
    const peer = this.#peers.acquire();
    if (peer === undefined) this.#tokens.unshift(false);
    else this.#fetch(peer);
    this.#look();
  }

  #fetch(peer: Party): void {
    const { ask, hedger, life, nowUs } = this.#deps;
    const controller = new AbortController();
    this.#running.set(peer, controller);
    if (!this.#isRacing) {
      this.#isRacing = true;
      this.#timers.push(
        life.schedule(hedger.raceTimeoutUs, () => {
          this.#settle(undefined);
        }),
      );
    }
    const beganUs = nowUs();
    ask(peer, controller.signal).then(
      (answer) => {
        if (answer.status >= 300) {
          void answer.body?.return();
          this.#onFailed(peer, controller);
          return;
        }
        this.#peers.release(peer);
        hedger.observe(nowUs() - beganUs);
        if (this.#isOver) void answer.body?.return();
        else {
          this.#running.delete(peer);
          this.#settle(answer);
        }
      },
      () => {
        this.#onFailed(peer, controller);
      },
    );
  }

  #onFailed(peer: Party, { signal }: AbortController): void {
    if (signal.aborted) {
      this.#peers.release(peer);
      return;
    }
    this.#peers.remove(peer);
    this.#running.delete(peer);
    if (this.#isOver) return;
    this.#look();
    this.#allow(true);
  }
}
