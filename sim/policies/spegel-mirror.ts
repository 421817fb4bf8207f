import { formatContentRange, formatRange, onAbort, parseRange, resolveRange } from '../../core/index.ts';
import type { Body, DistributionResponse, RequestText, StoreChange } from '../../core/index.ts';
import { askedFor, empty, serveContent } from '../containerd/serve-content.ts';
import type { AskedFor } from '../containerd/serve-content.ts';
import { Life } from '../kernel/life.ts';
import type { ExchangeAnswer } from '../network/exchange.ts';
import type { Party } from '../network/party.ts';
import type { WorldParts } from '../run/world-parts.ts';
import type { MirrorPlace, NodeMirror } from './policy.ts';
import { createCopiedBody } from './spegel-body.ts';
import { SpegelLookups } from './spegel-peers.ts';
import type { SpegelPeers, SpegelProviders } from './spegel-peers.ts';
import { raceFetch } from './spegel-race.ts';

/** Releases whose rules differ. */
export type SpegelRelease = '0.4' | '0.7';

/** All but a blob's body is over after so long in v0.7; in v0.4 a HEAD takes one second and a manifest two at each peer. */
const smallTimeoutUs = 3_000_000;
const headTimeoutUs = 1_000_000;
const manifestTimeoutUs = 2_000_000;
const dialTimeoutUs = 5_000_000;

/** A Spegel node, by its rules as its sources of that release say them. */
export class SpegelMirror implements NodeMirror {
  readonly party: Party;
  readonly #parts: WorldParts;
  readonly #place: MirrorPlace;
  readonly #release: SpegelRelease;
  readonly #providers: SpegelProviders;
  readonly #untold = new Set<string>();
  #lookups: SpegelLookups | undefined;

  constructor(parts: WorldParts, place: MirrorPlace, release: SpegelRelease, providers: SpegelProviders) {
    this.#parts = parts;
    this.#place = place;
    this.#release = release;
    this.#providers = providers;
    const life = new Life(parts.kernel);
    life.end();
    this.party = { host: place.host, role: 'mirror', life, server: undefined };
  }

  start(): void {
    const { kernel, random } = this.#parts;
    const { host, store } = this.#place;
    this.party.life = new Life(kernel);
    this.party.server = { answer: (request, signal) => this.#answer(request, signal) };
    this.#lookups = new SpegelLookups(
      this.#providers,
      this.party,
      random.fork(`spegel:${host.name}:${kernel.nowUs()}`),
    );
    store.watch((change) => {
      this.#advertise(change);
    });
    void store.list(new AbortController().signal).then(({ contents, tags }) => {
      for (const content of contents) this.#advertise({ type: 'content-added', content });
      for (const tag of tags) this.#advertise({ type: 'tag-set', tag });
    });
  }

  kill(): void {
    this.party.server = undefined;
    this.party.life.end();
    this.#place.store.forgetListeners();
    this.#parts.wire.forget(this.party);
  }

  /** v0.7 waits for no body longer than the grace period; here it goes at once, which its clients see alike. */
  drain(): void {
    this.kill();
  }

  dispose(): void {
    this.kill();
  }

  /** Content is told of with the image that it belongs to, when that has been made. */
  #advertise(change: StoreChange): void {
    const nowUs = this.#parts.kernel.nowUs();
    if (change.type === 'content-added') this.#untold.add(change.content.digest);
    if (change.type === 'tag-set') {
      for (const key of [change.tag.reference, ...this.#untold]) this.#providers.provide(key, this.party, nowUs);
      this.#untold.clear();
    }
    if (change.type === 'content-removed') this.#providers.withdraw(change.digest, this.party);
    if (change.type === 'tag-removed') this.#providers.withdraw(change.reference, this.party);
  }

  async #answer(request: RequestText, signal: AbortSignal): Promise<DistributionResponse> {
    const { catalogue } = this.#parts;
    const { store } = this.#place;
    const asked = askedFor(request.target);
    if (asked === undefined) return empty(404);
    const key = keyOf(asked);
    const digest = asked.isDigest ? asked.reference : (await store.resolve(key, signal))?.digest;
    const isHere = digest !== undefined && store.has(digest);
    if (isHere || request.headers['x-spegel-mirrored'] === 'true') {
      return serveContent(store, digest === undefined ? undefined : catalogue.find(digest), request, signal);
    }
    return this.#release === '0.4'
      ? this.#mirrorInTurn(asked, request, signal)
      : this.#mirrorByRace(asked, request, signal);
  }

  #look(asked: AskedFor): SpegelPeers {
    const { kernel } = this.#parts;
    if (this.#lookups === undefined) throw new Error('a mirror that was never started answers');
    return this.#lookups.look(keyOf(asked), this.party.life, () => kernel.nowUs(), this.#release !== '0.4');
  }

  #ask(peer: Party, { method, target, headers }: RequestText, signal: AbortSignal): Promise<ExchangeAnswer> {
    const request = { method, target, headers: { ...headers, 'x-spegel-mirrored': 'true' } };
    return this.#parts.wire.exchange(this.party, peer, request, signal, { dialTimeoutUs });
  }

  async #mirrorByRace(asked: AskedFor, request: RequestText, signal: AbortSignal): Promise<DistributionResponse> {
    const { life } = this.party;
    const isSmall = request.method === 'HEAD' || asked.kind === 'manifests';
    const bounded = new AbortController();
    const unhook = onAbort(signal, () => {
      bounded.abort(signal.reason);
    });
    const timer = isSmall
      ? life.schedule(smallTimeoutUs, () => {
          bounded.abort();
        })
      : undefined;
    const race = (headers: RequestText['headers']) =>
      raceFetch(
        { life, ask: (peer, wanted) => this.#ask(peer, { ...request, headers }, wanted) },
        this.#look(asked),
        bounded.signal,
      );
    const won = await race(request.headers);
    if (won === undefined) {
      timer?.cancel();
      unhook();
      return empty(404);
    }
    const { status, headers, body } = won.answer;
    if (body === undefined) {
      timer?.cancel();
      unhook();
      return { status, headers };
    }
    const promised = Number(headers['content-length']);
    const first = Number(/^bytes ([0-9]+)-/.exec(headers['content-range'] ?? '')?.[1] ?? 0);
    const next = async (copied: number): Promise<Body | undefined> => {
      if (isSmall || bounded.signal.aborted) return undefined;
      const again = await race({ ...request.headers, range: formatRange(first + copied, first + promised) });
      return again?.answer.body;
    };
    return { status, headers, body: createCopiedBody(body, promised, next) };
  }

  /** v0.4: one peer after the other, HEAD before GET; what goes on after an error begins at the first byte again, unless a range was asked for. */
  async #mirrorInTurn(asked: AskedFor, request: RequestText, signal: AbortSignal): Promise<DistributionResponse> {
    const peers = await this.#found(asked);
    const isBlobBody = request.method === 'GET' && asked.kind === 'blobs';
    const boundUs = request.method === 'HEAD' || isBlobBody ? headTimeoutUs : manifestTimeoutUs;
    for (let peer = peers.shift(); peer !== undefined; peer = peers.shift()) {
      const { range, ...plain } = request.headers;
      const first = isBlobBody ? { ...request, method: 'HEAD', headers: plain } : request;
      const answer = await this.#within(boundUs, signal, peer, first);
      if (answer === undefined || answer.status >= 300) continue;
      if (!isBlobBody) return answer;
      const sizeBytes = Number(answer.headers['content-length']);
      const part = resolveRange(parseRange(range), sizeBytes, { mirrored: true });
      if (part.type === 'unsatisfiable') continue;
      const [start, end] = part.type === 'part' ? [part.start, part.end] : [0, sizeBytes];
      const candidates = [peer, ...peers.splice(0)];
      const next = async (): Promise<Body | undefined> => {
        for (let other = candidates.shift(); other !== undefined; other = candidates.shift()) {
          const got = await this.#ask(other, request, signal).catch(() => undefined);
          if (got?.body !== undefined && got.status < 300) return got.body;
        }
        return undefined;
      };
      const body = await next();
      if (body === undefined) continue;
      const contentRange =
        part.type === 'part' ? { 'content-range': formatContentRange({ type: 'part', start, end, sizeBytes }) } : {};
      const headers = { ...answer.headers, 'content-length': String(end - start), ...contentRange };
      return { status: part.type === 'part' ? 206 : 200, headers, body: createCopiedBody(body, end - start, next) };
    }
    return empty(404);
  }

  /** What a lookup of 20 ms gives. */
  #found(asked: AskedFor): Promise<Party[]> {
    const peers = this.#look(asked);
    return new Promise((resolve) => {
      const watch = (): void => {
        if (peers.isLooking) return;
        peers.watchers.delete(watch);
        resolve([...peers.peers]);
      };
      peers.watchers.add(watch);
      watch();
    });
  }

  async #within(
    boundUs: number,
    signal: AbortSignal,
    peer: Party,
    request: RequestText,
  ): Promise<ExchangeAnswer | undefined> {
    const bounded = new AbortController();
    const unhook = onAbort(signal, () => {
      bounded.abort(signal.reason);
    });
    const timer = this.party.life.schedule(boundUs, () => {
      bounded.abort();
    });
    const answer = await this.#ask(peer, request, bounded.signal).catch(() => undefined);
    timer.cancel();
    unhook();
    return answer;
  }
}

function keyOf({ isDigest, reference, registry, repository }: AskedFor): string {
  return isDigest ? reference : `${registry ?? ''}/${repository}:${reference}`;
}
