import type { PullEvent } from '../../core/index.ts';
import type { SimContent } from '../content/catalogue.ts';
import type { Life } from '../kernel/life.ts';
import type { Host } from '../network/host.ts';
import type { Party } from '../network/party.ts';
import { askedRange } from '../reference/asked-range.ts';
import type { SimEvent } from '../run/trace.ts';
import type { SimNode, World } from '../run/world.ts';

/** An exchange as its client has seen it until now. */
export interface SeenExchange {
  readonly id: number;
  readonly from: Party;
  readonly to: Party;
  /** The machine that is asked; undefined: the upstream is. */
  readonly node: SimNode | undefined;
  /** A client asks the mirror of its own node. */
  readonly isOwnMirrors: boolean;
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
}

/** A request that a mirror works on, as it tells of it until now. */
export interface SeenPull {
  readonly node: string;
  /** Of the mirror, when the request came. */
  readonly life: Life | undefined;
  readonly start: PullEvent & { readonly type: 'start' };
  bytes: number;
  attemptsInVain: number;
  attemptedFrom: number;
}

const digestPattern = /\/(?:blobs|manifests)\/(sha256:[0-9a-f]{64})/;

/** What all oracles of a run know of it, kept once: the exchange and the request that the event of now is of, and those that are open. */
export class Seen {
  /** Of the event of now; that is in it. */
  exchange: SeenExchange | undefined;
  /** Of the event of now; that is in it. */
  pull: SeenPull | undefined;
  readonly #world: World;
  readonly #exchanges = new Map<number, SeenExchange>();
  readonly #pulls = new Map<string, Map<number, SeenPull>>();
  readonly #byHost = new Map<Host, SimNode>();
  readonly #byName = new Map<string, SimNode>();

  constructor(world: World) {
    this.#world = world;
    for (const node of world.nodes) {
      this.#byHost.set(node.host, node);
      this.#byName.set(node.name, node);
    }
  }

  node(name: string): SimNode | undefined {
    return this.#byName.get(name);
  }

  openExchanges(): Iterable<SeenExchange> {
    return this.#exchanges.values();
  }

  openPulls(): readonly SeenPull[] {
    return [...this.#pulls.values()].flatMap((pulls) => [...pulls.values()]);
  }

  /** To be told of every event, before any oracle is. */
  update(event: SimEvent): void {
    this.exchange = undefined;
    this.pull = undefined;
    switch (event.type) {
      case 'bytes': {
        const seen = this.#find(event);
        if (seen === undefined) return;
        seen.bytes += event.bytes;
        seen.nextOffset += event.bytes;
        return;
      }
      case 'request':
        this.exchange = this.#begin(event);
        return;
      case 'head': {
        const seen = this.#find(event);
        if (seen === undefined) return;
        seen.status = event.status;
        const length = event.headers['content-length'];
        seen.promisedBytes = seen.method === 'HEAD' || length === undefined ? undefined : Number(length);
        seen.nextOffset = event.status === 206 ? startOf(seen) : 0;
        return;
      }
      case 'exchange-end':
        this.#find(event);
        this.#exchanges.delete(event.exchange);
        return;
      case 'mirror-pull':
        this.pull = this.#follow(event.node, event.event);
        return;
      default:
    }
  }

  #find({ atUs, exchange }: { readonly atUs: number; readonly exchange: number }): SeenExchange | undefined {
    const seen = this.#exchanges.get(exchange);
    if (seen !== undefined) seen.lastUs = atUs;
    this.exchange = seen;
    return seen;
  }

  #begin({ atUs, exchange, from, request, to }: SimEvent & { readonly type: 'request' }): SeenExchange {
    const [, digest] = digestPattern.exec(request.target) ?? [];
    const seen: SeenExchange = {
      id: exchange,
      from,
      to,
      node: this.#byHost.get(to.host),
      isOwnMirrors: from.role === 'containerd' && to.role === 'mirror',
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
    this.#exchanges.set(exchange, seen);
    return seen;
  }

  #follow(node: string, event: PullEvent): SeenPull | undefined {
    const pulls = this.#pulls.get(node) ?? new Map<number, SeenPull>();
    if (event.type === 'start') {
      this.#pulls.set(node, pulls);
      const { life } = this.#byName.get(node)?.mirror?.party ?? {};
      pulls.set(event.pullId, { node, life, start: event, bytes: 0, attemptsInVain: 0, attemptedFrom: 0 });
    }
    const pull = pulls.get(event.pullId);
    if (pull === undefined) return undefined;
    if (event.type === 'end') pulls.delete(event.pullId);
    count(pull, event);
    return pull;
  }
}

function count(pull: SeenPull, event: PullEvent): void {
  if (event.type === 'bytes') {
    pull.bytes += event.to - event.from;
    if (event.to > event.from) pull.attemptsInVain = 0;
  }
  if (event.type === 'attempt') {
    // A run of bytes is told when it ends; before that the next window, which begins where the last one has come to, shows that they flow.
    if (event.from > pull.attemptedFrom) pull.attemptsInVain = 0;
    pull.attemptedFrom = Math.max(pull.attemptedFrom, event.from);
    pull.attemptsInVain += 1;
  }
}

function startOf({ content, range }: SeenExchange): number {
  const asked = askedRange(range, content?.sizeBytes ?? 0);
  return typeof asked === 'object' ? asked.start : 0;
}
