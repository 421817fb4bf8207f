import type { Party } from '../network/party.ts';
import { Gaps } from './gaps.ts';
import type { SimEvent } from './trace.ts';
import type { World } from './world.ts';

/** Where the bytes and the time of a run went. */
export interface Traffic {
  /** Bytes that nodes got over their cables. */
  readonly receivedBytes: number;
  /** Of these, by where they came from. */
  readonly upstreamBytes: number;
  readonly sameZoneBytes: number;
  readonly zoneCrossingBytes: number;
  /** Of these, beyond one copy of what a node has pulled. */
  readonly wastedBytes: number;
  /** Bytes that the node which gave most gave, over the mean of all nodes; 0 when none gave any. */
  readonly hotSpot: number;
  readonly upstreamRequests: number;
  /** GETs of manifests at the upstream, which registries with limits count. */
  readonly upstreamManifestGets: number;
  /** The longest time in which a node that was pulling got no byte, before its last one. Microseconds. */
  readonly longestGapUs: number;
  /** What nodes asked their mirror, and what came of it. */
  readonly asked: MirrorRequests;
}

export interface MirrorRequests {
  readonly requests: number;
  /** Answered without content, so that the upstream was asked after them: what they cost is added wait. */
  readonly misses: number;
  readonly addedWaitUs: number;
  readonly longestAddedWaitUs: number;
  /** Misses of what another node had had for a second by then. */
  readonly missedThoughHeld: number;
}

/** One exchange under way. */
interface Way {
  readonly from: Party;
  readonly to: Party;
  readonly sinceUs: number;
  readonly target: string;
  readonly isGet: boolean;
  /** The node whose containerd asks; undefined: a mirror does. */
  readonly puller: Puller | undefined;
  /** The node whose mirror asks. */
  readonly fed: Puller | undefined;
  bytes: number;
  isAnswered: boolean;
}

/** A node's containerd. */
interface Puller {
  readonly gaps: Gaps;
  open: number;
  usedBytes: number;
  readonly has: Set<string>;
}

/** Its records are everywhere by then. */
const heldForUs = 1_000_000;

/** Counts while a run goes on; what is asked last closes the books. */
export function watchTraffic(world: World): () => Traffic {
  const books = new Books(world);
  world.trace.watch((event) => {
    books.enter(event);
  });
  return () => books.close();
}

class Books {
  readonly #world: World;
  readonly #ways = new Map<number, Way>();
  readonly #pullers = new Map<string, Puller>();
  readonly #given = new Map<string, number>();
  readonly #heldSinceUs = new Map<string, number>();
  readonly #imageOf = new Map<number, string>();
  readonly #sums = { upstreamBytes: 0, sameZoneBytes: 0, zoneCrossingBytes: 0 };
  readonly #asked = { requests: 0, misses: 0, addedWaitUs: 0, longestAddedWaitUs: 0, missedThoughHeld: 0 };
  #upstreamRequests = 0;
  #upstreamManifestGets = 0;

  constructor(world: World) {
    this.#world = world;
    for (const { name } of world.nodes)
      this.#pullers.set(name, { gaps: new Gaps(), open: 0, usedBytes: 0, has: new Set() });
  }

  enter(event: SimEvent): void {
    switch (event.type) {
      case 'bytes':
        this.#onBytes(event);
        return;
      case 'request':
        this.#onRequest(event);
        return;
      case 'head':
        this.#onHead(event);
        return;
      case 'exchange-end':
        this.#onEnd(event);
        return;
      case 'pull-begin':
        this.#onPullBegin(event);
        return;
      case 'pull-end':
        this.#onPullEnd(event);
        return;
      default:
    }
  }

  close(): Traffic {
    const { kernel, nodes } = this.#world;
    for (const way of this.#ways.values()) this.#settle(way);
    this.#ways.clear();
    for (const { gaps, open } of this.#pullers.values()) if (open > 0) gaps.end(kernel.nowUs());
    const { sameZoneBytes, upstreamBytes, zoneCrossingBytes } = this.#sums;
    const receivedBytes = upstreamBytes + sameZoneBytes + zoneCrossingBytes;
    const usedBytes = this.#pullers.values().reduce((sum, puller) => sum + puller.usedBytes, 0);
    const given = nodes.map(({ host }) => this.#given.get(host.name) ?? 0);
    const sum = given.reduce((all, bytes) => all + bytes, 0);
    return {
      receivedBytes,
      ...this.#sums,
      wastedBytes: Math.max(0, receivedBytes - usedBytes),
      hotSpot: sum === 0 ? 0 : (Math.max(...given) * given.length) / sum,
      upstreamRequests: this.#upstreamRequests,
      upstreamManifestGets: this.#upstreamManifestGets,
      longestGapUs: this.#pullers.values().reduce((most, { gaps }) => Math.max(most, gaps.longestUs), 0),
      asked: { ...this.#asked },
    };
  }

  /** The most frequent one. */
  #onBytes(event: SimEvent & { readonly type: 'bytes' }): void {
    const way = this.#ways.get(event.exchange);
    if (way === undefined) return;
    way.bytes += event.bytes;
    way.fed?.gaps.feed(event);
    way.puller?.gaps.got(event);
  }

  #onRequest({ atUs, exchange, from, request, to }: SimEvent & { readonly type: 'request' }): void {
    const isGet = request.method === 'GET';
    if (to.role === 'upstream') {
      this.#upstreamRequests += 1;
      if (isGet && request.target.includes('/manifests/')) this.#upstreamManifestGets += 1;
    }
    const node = this.#pullers.get(from.host.name);
    const [puller, fed] = from.role === 'containerd' ? [node, undefined] : [undefined, node];
    if (puller !== undefined && to.role === 'mirror') this.#asked.requests += 1;
    const { target } = request;
    this.#ways.set(exchange, { from, to, sinceUs: atUs, target, isGet, puller, fed, bytes: 0, isAnswered: false });
  }

  #onHead({ atUs, exchange, status }: SimEvent & { readonly type: 'head' }): void {
    const way = this.#ways.get(exchange);
    if (way === undefined) return;
    way.isAnswered = true;
    if (status >= 300) this.#onMiss(way, atUs);
  }

  #onEnd({ atUs, exchange, how }: SimEvent & { readonly type: 'exchange-end' }): void {
    const way = this.#ways.get(exchange);
    if (way === undefined) return;
    this.#ways.delete(exchange);
    this.#settle(way);
    if (!way.isAnswered) this.#onMiss(way, atUs);
    if (way.puller === undefined || how !== 'complete' || !way.isGet || way.bytes === 0) return;
    const key = keyOf(way.target);
    if (!this.#heldSinceUs.has(key)) this.#heldSinceUs.set(key, atUs);
  }

  #onMiss({ puller, sinceUs, target, to }: Way, atUs: number): void {
    if (puller === undefined || to.role !== 'mirror') return;
    const asked = this.#asked;
    asked.misses += 1;
    asked.addedWaitUs += atUs - sinceUs;
    asked.longestAddedWaitUs = Math.max(asked.longestAddedWaitUs, atUs - sinceUs);
    if ((this.#heldSinceUs.get(keyOf(target)) ?? Infinity) + heldForUs <= atUs) asked.missedThoughHeld += 1;
  }

  #settle({ bytes, from, to }: Way): void {
    if (bytes === 0 || from.host === to.host) return;
    const sums = this.#sums;
    if (to.role === 'upstream') sums.upstreamBytes += bytes;
    else {
      this.#given.set(to.host.name, (this.#given.get(to.host.name) ?? 0) + bytes);
      if (from.host.zone === to.host.zone) sums.sameZoneBytes += bytes;
      else sums.zoneCrossingBytes += bytes;
    }
  }

  #onPullBegin({ atUs, image, node, pull }: SimEvent & { readonly type: 'pull-begin' }): void {
    this.#imageOf.set(pull, image);
    const puller = this.#pullers.get(node);
    if (puller === undefined) return;
    if (puller.open === 0) puller.gaps.begin(atUs);
    puller.open += 1;
  }

  #onPullEnd({ atUs, node, outcome, pull }: SimEvent & { readonly type: 'pull-end' }): void {
    const puller = this.#pullers.get(node);
    if (puller === undefined) return;
    puller.open -= 1;
    if (outcome !== 'ok') {
      puller.gaps.end(atUs);
      return;
    }
    const image = this.#world.images.get(this.#imageOf.get(pull) ?? '');
    for (const { digest, sizeBytes } of image === undefined
      ? []
      : [image.root, image.manifest, image.config, ...image.layers]) {
      if (puller.has.has(digest)) continue;
      puller.has.add(digest);
      puller.usedBytes += sizeBytes;
    }
  }
}

/** A digest or a tag, however it is asked for. */
function keyOf(target: string): string {
  const end = target.indexOf('?');
  return target.slice(target.lastIndexOf('/', end < 0 ? undefined : end) + 1, end < 0 ? undefined : end);
}
