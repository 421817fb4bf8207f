import type { DistributionResponse, RequestText, StoreChange } from '../../../core/index.ts';
import { askedFor, empty, serveContent } from '../../containerd/serve-content.ts';
import type { AskedFor } from '../../containerd/serve-content.ts';
import type { SimContent } from '../../content/catalogue.ts';
import { Life } from '../../kernel/life.ts';
import type { SimRandom } from '../../kernel/random.ts';
import type { Party } from '../../network/party.ts';
import { newSeat } from '../../node/new-seat.ts';
import type { WorldParts } from '../../run/world-parts.ts';
import type { MirrorPlace, NodeMirror } from '../policy.ts';
import { createForward04 } from './forward-0.4.ts';
import { createForward06 } from './forward-0.6.ts';
import { createForward07 } from './forward-0.7.ts';
import { keyTextOf } from './forward.ts';
import type { Forward } from './forward.ts';
import type { ProviderRecords } from './provider-records.ts';
import { dialTimeoutUs, manifestBytesMax } from './spegel-release.ts';
import type { SpegelRelease } from './spegel-release.ts';
import { drawWorkUs } from './work-time.ts';

const forwards = { '0.4': createForward04, '0.6': createForward06, '0.7': createForward07 } as const;

/** A Spegel node, by its rules as its sources of that release say them. */
export class SpegelMirror implements NodeMirror {
  readonly party: Party;
  readonly #parts: WorldParts;
  readonly #place: MirrorPlace;
  readonly #release: SpegelRelease;
  readonly #records: ProviderRecords;
  #forward: Forward | undefined;
  #random: SimRandom;
  #lives = 0;

  constructor(parts: WorldParts, place: MirrorPlace, release: SpegelRelease, records: ProviderRecords) {
    this.#parts = parts;
    this.#place = place;
    this.#release = release;
    this.#records = records;
    this.#random = parts.random.fork(`spegel:${place.host.name}`);
    const life = new Life(parts.kernel);
    life.end();
    this.party = { host: place.host, role: 'mirror', life, server: undefined };
    const seat = newSeat(place.host.name, this.party, 'spegel', parts.directory, parts.digester);
    parts.directory.add(seat);
    records.join({ seat, release });
  }

  start(): void {
    if (!this.party.life.isOver) return;
    const { kernel, random } = this.#parts;
    const { host, store } = this.#place;
    this.#lives += 1;
    this.#random = random.fork(`spegel:${host.name}:${this.#lives}`);
    this.party.life = new Life(kernel);
    this.party.server = { answer: (request, signal) => this.#answer(request, signal) };
    this.#forward = forwards[this.#release]({
      kernel,
      life: this.party.life,
      random: this.#random,
      lookup: {
        kernel,
        records: this.#records,
        self: this.party,
        random: this.#random,
        roundTripUs: 2 * this.#parts.latencyUs(host, host),
      },
      ask: (peer, { method, target, headers }, signal) => {
        const request = { method, target, headers: { ...headers, 'x-spegel-mirrored': 'true' } };
        return this.#parts.wire.exchange(this.party, peer, request, signal, { dialTimeoutUs });
      },
    });
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
    this.#records.leave(this.party);
    this.#parts.wire.forget(this.party);
  }

  /** v0.7 waits for no body longer than the grace period; here it goes at once, which its clients see alike. */
  drain(): void {
    this.kill();
  }

  dispose(): void {
    this.kill();
  }

  #advertise(change: StoreChange): void {
    if (change.type === 'content-added') this.#records.provide(change.content.digest, this.party);
    if (change.type === 'tag-set') this.#records.provide(change.tag.reference, this.party);
    if (change.type === 'content-removed') this.#records.withdraw(change.digest, this.party);
    if (change.type === 'tag-removed') this.#records.withdraw(change.reference, this.party);
  }

  async #answer(request: RequestText, signal: AbortSignal): Promise<DistributionResponse> {
    const { catalogue } = this.#parts;
    const { store } = this.#place;
    await this.#work();
    const asked = askedFor(request.target);
    if (asked === undefined) return empty(404);
    const digest = asked.isDigest ? asked.reference : (await store.resolve(keyTextOf(asked), signal))?.digest;
    const isHere = digest !== undefined && (await store.info(digest, signal)) !== undefined;
    const content = digest === undefined ? undefined : catalogue.find(digest);
    const isServed = isHere && content !== undefined && this.#isServed(content, asked);
    if (request.headers['x-spegel-mirrored'] === 'true' || isServed)
      return isServed ? serveContent(store, content, request, signal) : empty(404);
    return this.#forward?.(asked, request, signal) ?? empty(404);
  }

  #work(): Promise<void> {
    return new Promise((resolve) => {
      this.party.life.schedule(drawWorkUs(this.#random, this.#place.host), resolve);
    });
  }

  /** From v0.6 on, content is served only if its media type can be guessed (row K): small JSON that is none of an image is not. */
  #isServed({ mediaType, sizeBytes }: SimContent, { kind }: AskedFor): boolean {
    if (this.#release === '0.4' || kind === 'manifests' || sizeBytes > manifestBytesMax) return true;
    return mediaType !== 'application/json';
  }
}
