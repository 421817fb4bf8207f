import type { Flow } from './flow.ts';
import type { Link } from './link.ts';

/** Rates that differ by less are equal: more than what sums of floating-point numbers are off by, less than anybody could see. */
const tolerance = 1e-9;

/**
 * Max-min fairness, kept up to date. A division is max-min fair if and only if each flow is as fast as it may be on its own, or passes a full link on which no
 * other is faster (Bertsekas and Gallager, Data Networks, 6.5.2). After a change only flows are computed anew for which that may have become untrue: those
 * around the change by progressive filling, while all others stay as they are; then whoever of these has lost its reason to be as fast as it is joins them,
 * until nobody has. That is exact, however few they were.
 */
export class FairShare {
  /** Flows that have been computed anew: `nextRate`, `nextBottleneck`. */
  readonly affected: Flow[] = [];
  /** Links on their ways that can be full. */
  readonly links: Link[] = [];
  readonly #heap: Link[] = [];
  #mark = 0;

  /** `changed`: links where flows have come, gone, or become slower by themselves; `started`: flows without a rate, or with another limit. */
  solve(changed: Iterable<Link>, started: Iterable<Flow>): void {
    this.#mark += 1;
    this.affected.length = 0;
    this.links.length = 0;
    for (const flow of started) this.#affect(flow);
    for (const link of changed) for (const flow of link.flows) if (flow.bottleneck === link) this.#affect(flow);
    for (let count = 0; count !== this.affected.length;) {
      count = this.affected.length;
      this.#fill();
      // The list grows meanwhile: those that are new in it are looked at after the next filling.
      const { length } = this.links;
      for (const link of this.links.slice(0, length)) this.#check(link);
    }
  }

  #affect(flow: Flow): void {
    if (flow.mark === this.#mark) return;
    flow.mark = this.#mark;
    this.affected.push(flow);
    for (const link of flow.path) {
      if (link.mark === this.#mark || !link.holdsBack) continue;
      link.mark = this.#mark;
      this.links.push(link);
    }
  }

  /** Progressive filling of what the flows that stay leave. */
  #fill(): void {
    const { affected, links } = this;
    const mark = this.#mark;
    const heap = this.#heap;
    heap.length = 0;
    for (const link of links) {
      empty(link, mark);
      push(heap, link);
    }
    const limited = new Limited(affected);
    for (let done = 0; done < affected.length;) {
      const first = lowest(heap);
      const own = limited.below(first?.room ?? Infinity);
      if (own !== undefined) {
        settle(own, own.limit, undefined, mark);
        done += 1;
      } else if (first !== undefined) {
        const level = first.room;
        first.level = level;
        for (const flow of first.flows) {
          if (flow.mark !== mark || flow.nextRate >= 0) continue;
          settle(flow, level, first, mark);
          done += 1;
        }
      }
    }
  }

  /** Whether those who stay still have a reason to. */
  #check(link: Link): void {
    if (link.counted === link.flows.length) return;
    const mark = this.#mark;
    const isFull = link.left <= link.bytesPerSecond * tolerance;
    let fastest = 0;
    for (const flow of link.flows) if (flow.mark === mark && flow.nextRate > fastest) fastest = flow.nextRate;
    for (const flow of link.flows) {
      if (flow.mark === mark) continue;
      const isTooFast = flow.rate > link.level * (1 + tolerance);
      const isTooSlow = flow.bottleneck === link && (!isFull || fastest > flow.rate * (1 + tolerance));
      if (isTooFast || isTooSlow) this.#affect(flow);
    }
  }
}

/** Flows by their own limits, the lowest first. Most often no limit counts, and they need not be sorted. */
class Limited {
  readonly #flows: readonly Flow[];
  #sorted: Flow[] | undefined;
  #lowest = Infinity;

  constructor(flows: readonly Flow[]) {
    this.#flows = flows;
    for (const flow of flows) {
      flow.nextRate = -1;
      if (flow.limit < this.#lowest) this.#lowest = flow.limit;
    }
  }

  /** One that is not done and whose limit is not above this. */
  below(room: number): Flow | undefined {
    if (this.#lowest > room) return undefined;
    this.#sorted ??= this.#flows.filter(({ nextRate }) => nextRate < 0).sort((one, other) => other.limit - one.limit);
    let flow = this.#sorted.at(-1);
    while (flow !== undefined && flow.nextRate >= 0) {
      this.#sorted.pop();
      flow = this.#sorted.at(-1);
    }
    this.#lowest = flow?.limit ?? Infinity;
    return this.#lowest <= room ? flow : undefined;
  }
}

/** Leaves what those who stay do not take. */
function empty(link: Link, mark: number): void {
  let left = link.bytesPerSecond;
  let open = 0;
  for (const flow of link.flows) {
    if (flow.mark === mark) open += 1;
    else left -= flow.rate;
  }
  link.left = Math.max(0, left);
  link.counted = open;
  link.open = open;
  link.room = link.left / open;
  link.level = Infinity;
}

function settle(flow: Flow, rate: number, bottleneck: Link | undefined, mark: number): void {
  flow.nextRate = rate;
  flow.nextBottleneck = bottleneck;
  for (const link of flow.path) {
    if (link.mark !== mark) continue;
    link.left = Math.max(0, link.left - rate);
    link.open -= 1;
  }
}

/** The link that is full first. Who stopped elsewhere has left more for the others: `room` is looked at again before it counts. */
function lowest(heap: Link[]): Link | undefined {
  for (;;) {
    const first = heap[0];
    if (first === undefined) return undefined;
    const room = first.left / first.open;
    if (first.open > 0 && room <= first.room) return first;
    if (first.open === 0) {
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return undefined;
      heap[0] = last;
    } else first.room = room;
    sink(heap);
  }
}

function push(heap: Link[], link: Link): void {
  let index = heap.push(link) - 1;
  while (index > 0) {
    const above = (index - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || parent.room <= link.room) break;
    heap[index] = parent;
    index = above;
  }
  heap[index] = link;
}

function sink(heap: Link[]): void {
  const [link] = heap;
  if (link === undefined) return;
  let index = 0;
  for (;;) {
    let below = 2 * index + 1;
    const [left, right] = [heap[below], heap[below + 1]];
    if (left === undefined) break;
    let child = left;
    if (right !== undefined && right.room < left.room) {
      child = right;
      below += 1;
    }
    if (link.room <= child.room) break;
    heap[index] = child;
    index = below;
  }
  heap[index] = link;
}
