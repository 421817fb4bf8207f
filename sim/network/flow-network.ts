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
  readonly #changed: Flow[] = [];
  /** Flows whose own limit is another one. */
  readonly #limited: Flow[] = [];
  /** Links whose flows are computed anew. */
  readonly #links: Link[] = [];
  /** Links whose first flow is another one. */
  readonly #planned: Link[] = [];
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
    else this.#change(flow);
  }

  onClosed(flow: Flow): void {
    if (this.#isFree(flow)) this.#unseat(flow);
    else this.#change(flow);
  }

  #change(flow: Flow): void {
    if (!flow.isChanged) this.#changed.push(flow);
    flow.isChanged = true;
    this.#solveSoon();
  }

  /** Nobody holds it back, nor would it hold back anybody: there is nothing to compute. */
  #isFree(flow: Flow): boolean {
    if (flow.bottleneck !== undefined || flow.isChanged || flow.isLimited) return false;
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
    this.#computeAnew(flow);
    this.#solveSoon();
  }

  #computeAnew(flow: Flow): void {
    if (!flow.isLimited) this.#limited.push(flow);
    flow.isLimited = true;
    this.#touch(flow);
  }

  #touch({ path }: Flow): void {
    for (const link of path) {
      if (!link.isChanged) this.#links.push(link);
      link.isChanged = true;
    }
  }

  #planSoon(link: Link): void {
    if (!link.isPlanned) this.#planned.push(link);
    link.isPlanned = true;
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
    const going = this.#changed.filter((flow) => this.#move(flow));
    for (const flow of this.#changed) flow.isChanged = false;
    this.#changed.length = 0;
    const limited = this.#limited.filter(({ isActive, isWanted }) => isActive && isWanted);
    for (const flow of this.#limited) flow.isLimited = false;
    this.#limited.length = 0;
    if (limited.length > 0 || this.#links.length > 0) this.#divide(limited);
    for (const flow of going) this.#expect(flow);
    for (const link of this.#planned) {
      link.isPlanned = false;
      this.#plan(link);
    }
    this.#planned.length = 0;
  }

  #divide(limited: readonly Flow[]): void {
    this.#share.solve(this.#links, limited);
    for (const link of this.#links) {
      link.isChanged = false;
      this.#planSoon(link);
    }
    this.#links.length = 0;
    for (const link of this.#share.links) this.#planSoon(link);
    for (const flow of this.#share.affected) this.#accelerate(flow);
  }

  /** Into its links' lists or out of them; true: it was in them, and stays. */
  #move(flow: Flow): boolean {
    const { isActive, isWanted } = flow;
    if (isActive && isWanted) {
      // It had been left in its seat while nobody held it back.
      if (flow.rate === 0) this.#computeAnew(flow);
      return true;
    }
    if (isWanted) {
      this.#seat(flow);
      this.#computeAnew(flow);
      return false;
    }
    if (isActive) this.#unseat(flow);
    this.#touch(flow);
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
    if (bottleneck !== undefined && endUs < bottleneck.dueAtUs) this.#planSoon(bottleneck);
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
      this.#planSoon(link);
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
