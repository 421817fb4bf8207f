import { formatRange } from '../../../core/index.ts';
import type { Body, RequestText } from '../../../core/index.ts';
import { empty } from '../../containerd/serve-content.ts';
import type { ExchangeAnswer } from '../../network/exchange.ts';
import type { Party } from '../../network/party.ts';
import { createCopiedBody } from './copied-body.ts';
import { askWithin, keyTextOf } from './forward.ts';
import type { Forward, ForwardDeps } from './forward.ts';
import { findProviders } from './lookup.ts';
import { cacheUs, headTimeoutUs, manifestTimeoutUs, resolveRetries, resolveTimeoutUs } from './spegel-release.ts';

/** The peers of one key, by turns (`pkg/routing/balancer.go`). */
class Balancer {
  readonly peers: Party[] = [];
  createdUs: number;
  isLooking = false;
  #turn = 0;
  #waiting: (() => void)[] = [];

  constructor(nowUs: number) {
    this.createdUs = nowUs;
  }

  add(peer: Party): void {
    if (!this.peers.includes(peer)) this.peers.push(peer);
    this.#wake();
  }

  remove(peer: Party): void {
    const at = this.peers.indexOf(peer);
    if (at < 0) return;
    this.peers.splice(at, 1);
    if (this.#turn > at) this.#turn -= 1;
    else if (this.#turn >= this.peers.length) this.#turn = 0;
  }

  close(): void {
    this.isLooking = false;
    this.#wake();
  }

  /** Waits while somebody is being looked for. */
  async next(): Promise<Party | undefined> {
    while (this.peers.length === 0) {
      if (!this.isLooking) return undefined;
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
    const peer = this.peers[this.#turn];
    this.#turn = (this.#turn + 1) % this.peers.length;
    return peer;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** v0.6: three peers by turns; a blob's head and body are waited for without bound. */
export function createForward06(deps: ForwardDeps): Forward {
  const { kernel, life } = deps;
  const cache = new Map<string, Balancer>();

  const look = (text: string): { readonly balancer: Balancer; readonly end: () => void } => {
    const nowUs = kernel.nowUs();
    const known = cache.get(text);
    const isKnown = known !== undefined && nowUs - known.createdUs < cacheUs;
    if (isKnown && (known.isLooking || known.peers.length >= resolveRetries))
      return { balancer: known, end: () => undefined };
    const balancer = isKnown ? known : new Balancer(nowUs);
    balancer.createdUs = nowUs;
    balancer.isLooking = true;
    cache.set(text, balancer);
    const stop = findProviders(
      deps.lookup,
      text,
      (peer) => {
        balancer.add(peer);
      },
      () => {
        balancer.close();
      },
    );
    const timer = life.schedule(resolveTimeoutUs, stop);
    const end = (): void => {
      timer.cancel();
      stop();
    };
    return { balancer, end };
  };

  return async (asked, request, signal) => {
    const { balancer, end } = look(keyTextOf(asked));
    const isManifest = asked.kind === 'manifests';
    const boundUs = request.method === 'HEAD' ? headTimeoutUs : isManifest ? manifestTimeoutUs : Infinity;
    const state = { attempts: 0 };
    const attempt = async (headers: RequestText['headers']): Promise<ExchangeAnswer | undefined> => {
      while (state.attempts < resolveRetries && !signal.aborted) {
        state.attempts += 1;
        const peer = await balancer.next();
        if (peer === undefined) return undefined;
        const answer = await askWithin(deps, boundUs, peer, { ...request, headers }, signal);
        if (answer !== undefined) return answer;
        balancer.remove(peer);
      }
      return undefined;
    };
    const answer = await attempt(request.headers);
    if (answer?.body === undefined) {
      end();
      return answer === undefined ? empty(404) : { status: answer.status, headers: answer.headers };
    }
    const { status, headers, body } = answer;
    const promised = Number(headers['content-length']);
    const first = Number(/^bytes ([0-9]+)-/.exec(headers['content-range'] ?? '')?.[1] ?? 0);
    const next = async (copied: number): Promise<Body | undefined> => {
      if (isManifest) return undefined;
      const range = formatRange(first + copied, first + promised);
      return (await attempt({ ...request.headers, range }))?.body;
    };
    return { status, headers, body: createCopiedBody(body, promised, next, end) };
  };
}
