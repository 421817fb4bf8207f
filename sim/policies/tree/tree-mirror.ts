import type { Body, DistributionResponse, RequestText, StoreChange } from '../../../core/index.ts';
import { askedFor, empty, serveContent } from '../../containerd/serve-content.ts';
import { Life } from '../../kernel/life.ts';
import type { Party } from '../../network/party.ts';
import type { WorldParts } from '../../run/world-parts.ts';
import type { MirrorPlace, NodeMirror, Policy } from '../policy.ts';
import { UploadPlan } from './upload-plan.ts';

/** A holder that is there is reached at once. */
const dialTimeoutUs = 250_000;

/**
 * The yardstick: one copy from upstream, then whoever has a whole object gives it to one node that lacks it, at full speed, so that holders double. Nobody has to find
 * anybody, and nobody gives two at once. No real mirror has such knowledge; one that feeds others while it is being fed can be faster.
 */
export const binomialTree: Policy = {
  name: 'binomialTree',
  isOurs: false,
  inWorld: (parts) => {
    const plan = new UploadPlan(parts.kernel);
    return { createMirror: (place) => new TreeMirror(parts, place, plan) };
  },
};

class TreeMirror implements NodeMirror {
  readonly party: Party;
  readonly #parts: WorldParts;
  readonly #place: MirrorPlace;
  readonly #plan: UploadPlan;

  constructor(parts: WorldParts, place: MirrorPlace, plan: UploadPlan) {
    this.#parts = parts;
    this.#place = place;
    this.#plan = plan;
    const life = new Life(parts.kernel);
    life.end();
    this.party = { host: place.host, role: 'mirror', life, server: undefined };
  }

  start(): void {
    if (!this.party.life.isOver) return;
    const { store } = this.#place;
    this.party.life = new Life(this.#parts.kernel);
    this.party.server = { answer: (request, signal) => this.#answer(request, signal) };
    store.watch((change) => {
      this.#follow(change);
    });
    void store.list(new AbortController().signal).then(({ contents }) => {
      for (const content of contents) this.#follow({ type: 'content-added', content });
    });
  }

  kill(): void {
    this.party.server = undefined;
    this.party.life.end();
    this.#place.store.forgetListeners();
    this.#plan.forget(this.party);
    this.#parts.wire.forget(this.party);
  }

  drain(): void {
    this.kill();
  }

  dispose(): void {
    this.kill();
  }

  #follow(change: StoreChange): void {
    if (change.type === 'content-added') this.#plan.add(change.content.digest, this.party);
    if (change.type === 'content-removed') this.#plan.remove(change.digest, this.party);
  }

  async #answer(request: RequestText, signal: AbortSignal): Promise<DistributionResponse> {
    const { store } = this.#place;
    const asked = askedFor(request.target);
    // What a tag means, the upstream says.
    if (asked?.isDigest !== true) return empty(404);
    const { kind, reference: digest } = asked;
    if (request.headers['x-spegel-mirrored'] === 'true' || (await store.info(digest, signal)) !== undefined)
      return serveContent(store, this.#parts.catalogue.find(digest), request, signal);
    const [holder] = this.#plan.holdersOf(digest);
    if (holder !== undefined && (kind === 'manifests' || request.method === 'HEAD'))
      return this.#ask(holder, request, signal, () => undefined);
    const found = await this.#plan.ask(digest, this.party, signal);
    if (found === undefined || found === 'upstream') return empty(404);
    return this.#ask(found.holder, request, signal, found.end);
  }

  async #ask(
    holder: Party,
    { method, target, headers }: RequestText,
    signal: AbortSignal,
    onEnd: () => void,
  ): Promise<DistributionResponse> {
    const request = { method, target, headers: { ...headers, 'x-spegel-mirrored': 'true' } };
    try {
      const answer = await this.#parts.wire.exchange(this.party, holder, request, signal, { dialTimeoutUs });
      if (answer.body === undefined) onEnd();
      return answer.body === undefined ? answer : { ...answer, body: endingBody(answer.body, onEnd) };
    } catch {
      onEnd();
      return empty(404);
    }
  }
}

function endingBody(body: Body, onEnd: () => void): Body {
  return {
    next: async () => {
      try {
        const step = await body.next();
        if (step.done === true) onEnd();
        return step;
      } catch (cause) {
        onEnd();
        throw cause;
      }
    },
    return: () => {
      onEnd();
      return body.return();
    },
  };
}
