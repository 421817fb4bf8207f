import type { SimContent } from '../content/catalogue.ts';
import type { Party } from '../network/party.ts';
import type { SimEvent } from '../run/trace.ts';
import type { World } from '../run/world.ts';
import { askedRange } from '../reference/asked-range.ts';

/** An exchange as its client has seen it until now. */
export interface SeenExchange {
  readonly id: number;
  readonly from: Party;
  readonly to: Party;
  readonly method: string;
  readonly target: string;
  readonly range: string | undefined;
  /** What is asked for, where it is named by digest. */
  readonly content: SimContent | undefined;
  readonly beganUs: number;
  status: number | undefined;
  promisedBytes: number | undefined;
  /** Offset in the content of the next byte. */
  nextOffset: number;
  bytes: number;
  lastUs: number;
  /** It was told that nothing comes. */
  isHanging?: boolean;
}

const digestPattern = /\/(?:blobs|manifests)\/(sha256:[0-9a-f]{64})/;

/** Keeps what is known of every exchange under way. */
export class SeenExchanges {
  readonly #world: World;
  readonly #open = new Map<number, SeenExchange>();

  constructor(world: World) {
    this.#world = world;
  }

  /** To be told of every event, before the exchange of it is looked at. */
  update(event: SimEvent): SeenExchange | undefined {
    if (event.type === 'request') return this.#begin(event);
    if (!('exchange' in event)) return undefined;
    const seen = this.#open.get(event.exchange);
    if (seen === undefined) return undefined;
    seen.lastUs = event.atUs;
    if (event.type === 'head') {
      seen.status = event.status;
      const length = event.headers['content-length'];
      seen.promisedBytes = seen.method === 'HEAD' || length === undefined ? undefined : Number(length);
      seen.nextOffset = event.status === 206 ? startOf(seen) : 0;
    }
    if (event.type === 'exchange-end') this.#open.delete(event.exchange);
    return seen;
  }

  open(): Iterable<SeenExchange> {
    return this.#open.values();
  }

  #begin({ atUs, exchange, from, request, to }: SimEvent & { readonly type: 'request' }): SeenExchange {
    const [, digest] = digestPattern.exec(request.target) ?? [];
    const seen: SeenExchange = {
      id: exchange,
      from,
      to,
      method: request.method,
      target: request.target,
      range: request.headers['range'],
      content: digest === undefined ? undefined : this.#world.catalogue.find(digest),
      beganUs: atUs,
      status: undefined,
      promisedBytes: undefined,
      nextOffset: 0,
      bytes: 0,
      lastUs: atUs,
    };
    this.#open.set(exchange, seen);
    return seen;
  }
}

function startOf({ content, range }: SeenExchange): number {
  const asked = askedRange(range, content?.sizeBytes ?? 0);
  return typeof asked === 'object' ? asked.start : 0;
}

/** A client's exchange with the mirror of its own node. */
export function isOwnMirrors({ from, to }: Pick<SeenExchange, 'from' | 'to'>): boolean {
  return from.role === 'containerd' && to.role === 'mirror';
}
