import type { Kernel } from '../kernel/kernel.ts';
import { FairShare } from './fair-share.ts';
import { Flow } from './flow.ts';
import type { FlowOptions } from './flow.ts';
import { Link } from './link.ts';

/** Bandwidth: flows over links, each as fast as max-min fairness lets it be. Latency is not here. */
export class FlowNetwork {
  readonly #kernel: Kernel;
  readonly #share = new FairShare();
  /** Flows of which bytes have come to be wanted, or no longer are. */
  readonly #changed = new Set<Flow>();
  /** Flows whose own limit is another one. */
  readonly #limited = new Set<Flow>();
  /** Links whose flows are computed anew. */
  readonly #links = new Set<Link>();
  /** Links whose first flow is another one. */
  readonly #planned = new Set<Link>();
  #isSolving = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  addLink(name: string, bytesPerSecond: number): Link {
    return new Link(name, bytesPerSecond);
  }

  setRate(link: Link, bytesPerSecond: number): void {
    if (link.bytesPerSecond === bytesPerSecond) return;
    link.bytesPerSecond = bytesPerSecond;
    for (const flow of link.flows) {
      for (const passed of flow.path) passed.demand -= flow.bound;
      flow.measure();
      for (const passed of flow.path) passed.demand += flow.bound;
      this.#onLimited(flow);
    }
  }

  /** A way for bytes over these links. */
  open(path: readonly Link[], options: FlowOptions = {}): Flow {
    return new Flow(this, path, options);
  }

  nowUs(): number {
    return this.#kernel.nowUs();
  }

  onChanged(flow: Flow): void {
    if (!flow.isActive) {
      if (!flow.isWanted) return;
      flow.begin();
    }
    if (this.#isFree(flow)) this.#moveFreely(flow);
    else {
      this.#changed.add(flow);
      this.#solveSoon();
    }
  }

  onClosed(flow: Flow): void {
    if (this.#isFree(flow)) this.#unseat(flow);
    else {
      this.#changed.add(flow);
      this.#solveSoon();
    }
  }

  /** Nobody holds it back, nor would it hold back anybody: there is nothing to compute. */
  #isFree(flow: Flow): boolean {
    if (flow.bottleneck !== undefined || this.#changed.has(flow) || this.#limited.has(flow)) return false;
    const bound = flow.isActive ? 0 : flow.bound;
    for (const link of flow.path) if (link.demand + bound > link.bytesPerSecond) return false;
    return true;
  }

  #moveFreely(flow: Flow): void {
    if (flow.isWanted) {
      if (!flow.isActive) this.#seat(flow);
      flow.rate = flow.limit;
      this.#expect(flow);
    } else {
      // It keeps its seat: most often the next chunk follows.
      flow.rate = 0;
      this.#setTimer(flow, Infinity);
    }
  }

  /** Its limit is another one: it and whoever it shares with are computed anew. */
  #onLimited(flow: Flow): void {
    this.#limited.add(flow);
    for (const link of flow.path) this.#links.add(link);
    this.#solveSoon();
  }

  /** Once for all that changes at this time, after it. */
  #solveSoon(): void {
    if (this.#isSolving) return;
    this.#isSolving = true;
    this.#kernel.schedule(
      0,
      () => {
        this.#isSolving = false;
        this.#solve();
      },
      solvePriority,
    );
  }

  #solve(): void {
    const going = [...this.#changed].filter((flow) => this.#move(flow));
    this.#changed.clear();
    const limited = [...this.#limited].filter(({ isActive, isWanted }) => isActive && isWanted);
    this.#limited.clear();
    if (limited.length > 0 || this.#links.size > 0) {
      this.#share.solve(this.#links, limited);
      for (const link of this.#links) this.#planned.add(link);
      for (const link of this.#share.links) this.#planned.add(link);
      this.#links.clear();
      for (const flow of this.#share.affected) this.#accelerate(flow);
    }
    for (const flow of going) this.#expect(flow);
    for (const link of this.#planned) this.#plan(link);
    this.#planned.clear();
  }

  /** Into its links' lists or out of them; true: it was in them, and stays. */
  #move(flow: Flow): boolean {
    const { isActive, isWanted, path } = flow;
    if (isActive && isWanted) {
      // It had been left in its seat while nobody held it back.
      if (flow.rate === 0) {
        this.#limited.add(flow);
        for (const link of path) this.#links.add(link);
      }
      return true;
    }
    if (isWanted) {
      this.#seat(flow);
      this.#limited.add(flow);
    } else if (isActive) this.#unseat(flow);
    for (const link of path) this.#links.add(link);
    return false;
  }

  #seat(flow: Flow): void {
    flow.isActive = true;
    for (const [place, link] of flow.path.entries()) flow.seats[place] = link.add(flow);
  }

  #unseat(flow: Flow): void {
    flow.isActive = false;
    for (const [place, link] of flow.path.entries()) link.remove(flow, flow.seats[place] ?? -1);
    flow.rate = 0;
    flow.bottleneck = undefined;
    this.#setTimer(flow, Infinity);
  }

  #accelerate(flow: Flow): void {
    const { nextRate, nextBottleneck } = flow;
    if (nextRate !== flow.rate) {
      flow.advance();
      flow.rate = nextRate;
      if (nextRate === 0) flow.halt();
    }
    flow.bottleneck = nextBottleneck;
    this.#expect(flow);
  }

  /** Looks when it is to be looked at. Those that a link holds back are looked at together. */
  #expect(flow: Flow): void {
    const { bottleneck, patienceEndsUs } = flow;
    const endUs = flow.endUs();
    if (bottleneck !== undefined && endUs < bottleneck.dueAtUs) this.#planned.add(bottleneck);
    const isImpatient = endUs > patienceEndsUs && (flow.rate > 0 || flow.hasArrived);
    this.#setTimer(flow, isImpatient ? patienceEndsUs : bottleneck === undefined ? endUs : Infinity);
  }

  #setTimer(flow: Flow, atUs: number): void {
    if (flow.timer === undefined ? atUs === Infinity : atUs === flow.dueAtUs) return;
    flow.timer?.cancel();
    flow.timer = undefined;
    flow.dueAtUs = atUs;
    if (atUs === Infinity) return;
    flow.timer = this.#kernel.schedule(atUs - this.#kernel.nowUs(), flow.onDue);
  }

  onDue(flow: Flow): void {
    flow.timer = undefined;
    if (flow.bottleneck === undefined && flow.endUs() <= this.#kernel.nowUs()) {
      flow.deliverAll();
      if (flow.isWanted) this.#look(flow);
    } else {
      flow.deliverSome();
      if (flow.isWanted) this.onChanged(flow);
    }
  }

  /** It was due, and wants more. */
  #look(flow: Flow): void {
    if (flow.freeBytes < 0.5) this.#ramp(flow);
    else this.onChanged(flow);
  }

  #ramp(flow: Flow): void {
    flow.advance();
    const { limit } = flow;
    const isRamping = flow.ramp();
    if (flow.limit === limit) this.onChanged(flow);
    else this.#onLimited(flow);
    if (!isRamping) return;
    flow.rampTimer = this.#kernel.schedule(flow.roundTripUs, () => {
      flow.rampTimer = undefined;
      if (flow.isActive) this.#ramp(flow);
    });
  }

  /** One timer for all that the link holds back. */
  #plan(link: Link): void {
    let dueAtUs = Infinity;
    for (const flow of link.flows) if (flow.bottleneck === link) dueAtUs = Math.min(dueAtUs, flow.endUs());
    if (link.dueAtUs === dueAtUs) return;
    link.timer?.cancel();
    link.timer = undefined;
    link.dueAtUs = dueAtUs;
    if (dueAtUs === Infinity) return;
    link.timer = this.#kernel.schedule(dueAtUs - this.#kernel.nowUs(), () => {
      link.timer = undefined;
      link.dueAtUs = Infinity;
      this.#planned.add(link);
      for (const flow of link.flows) {
        if (flow.bottleneck !== link) continue;
        flow.deliverAll();
        if (flow.isWanted && flow.freeBytes < 0.5) this.#ramp(flow);
      }
      this.#solveSoon();
    });
  }
}

const solvePriority = 1_000;
