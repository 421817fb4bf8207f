import type { Party } from '../../network/party.ts';
import type { SimRandom } from '../../kernel/random.ts';
import { Gate } from './gate.ts';

/**
 * v0.7: the peers of one key as one node knows them, shared by all its requests (`pkg/routing/iterator.go`). That it is ready is told by a gate which is made anew
 * whenever all are taken, and opened by the first peer that is added, or when the last taken one is given back. Who comes to be known in between opens nothing: such a
 * second holder is lost until the cache forgets (row G), and so are requests that wait for it.
 */
export class PeerIterator {
  readonly createdUs: number;
  updatedUs: number;
  ready = new Gate();
  exhausted = new Gate();
  isClosed = false;
  readonly #random: SimRandom;
  readonly #peers = new Set<Party>();
  readonly #acquired = new Set<Party>();
  readonly #usage = new Map<Party, number>();

  constructor(nowUs: number, random: SimRandom) {
    this.createdUs = nowUs;
    this.updatedUs = nowUs;
    this.#random = random;
  }

  get count(): number {
    return this.#peers.size;
  }

  add(peer: Party): void {
    const isNew = !this.#peers.has(peer);
    this.#peers.add(peer);
    if (!isNew || this.#peers.size !== 1) return;
    this.ready.open();
    if (this.isClosed) this.exhausted = new Gate();
  }

  remove(peer: Party): void {
    const wasThere = this.#peers.delete(peer);
    this.#acquired.delete(peer);
    this.#usage.delete(peer);
    if (!wasThere || this.#peers.size > 0) return;
    this.ready = new Gate();
    if (this.isClosed) this.exhausted.open();
  }

  /** The least used one, be it taken or not. */
  acquire(): Party | undefined {
    if (this.#peers.size === this.#acquired.size) return undefined;
    const uses = (peer: Party): number => this.#usage.get(peer) ?? 0;
    const least = Math.min(...Array.from(this.#peers, uses));
    const all = [...this.#peers].filter((peer) => uses(peer) === least);
    // Go's maps have no order.
    const peer = all[this.#random.below(all.length)];
    if (peer === undefined) return undefined;
    this.#usage.set(peer, least + 1);
    this.#acquired.add(peer);
    if (this.#peers.size === this.#acquired.size) this.ready = new Gate();
    return peer;
  }

  release(peer: Party): void {
    if (this.#acquired.delete(peer) && this.#acquired.size === this.#peers.size - 1) this.ready.open();
  }

  /** It is being looked up again. */
  open(nowUs: number): void {
    if (!this.isClosed) return;
    this.updatedUs = nowUs;
    this.isClosed = false;
    this.exhausted = new Gate();
  }

  /** The lookup has ended. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.#peers.size === 0) this.exhausted.open();
  }
}
