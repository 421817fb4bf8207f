import type { Timer } from '../../core/index.ts';
import { unboundedRate } from './link.ts';
import type { Link } from './link.ts';

/** What a flow asks of its network. */
export interface FlowOwner {
  nowUs(): number;
  /** It wants bytes, or no more. */
  onChanged(flow: Flow): void;
  /** It will not want any for now. */
  onClosed(flow: Flow): void;
  /** Its timer has run out. */
  onDue(flow: Flow): void;
}

export interface FlowOptions {
  /** @default as fast as its links allow */
  readonly capBytesPerSecond?: number;
  /** What may be under way unacknowledged when it begins; it doubles with each round trip until something else holds it back (RFC 5681). @default enough */
  readonly windowBytes?: number;
  readonly roundTripUs?: number;
}

/** One stream of bytes over links. At most one `want()` at a time. Between two of them at the same time it keeps its place. */
export class Flow {
  readonly path: readonly Link[];
  /** Its places in the links' lists, in the order of the path. */
  readonly seats: number[] = [];
  /** Among its links' flows, bytes are wanted from it. */
  isActive = false;
  // Whether its network has it in its lists: bytes are wanted of it, or no longer are; its own limit is another one.
  isChanged = false;
  isLimited = false;
  /** As fast as it may be on its own. */
  limit: number;
  /** What it can take of a link at most, whatever the others do: an integer. Does not change while it is active, but by `FlowNetwork.setRate`. */
  bound = 0;
  rate = 0;
  /** The link that holds it back; undefined: its own limit. */
  bottleneck: Link | undefined;
  /** Bytes arrive until then without anybody looking: all of them when it has its own limit, or some for a reader that waits no longer. */
  dueAtUs = Infinity;
  timer: Timer | undefined;
  patienceEndsUs = Infinity;
  /** Made once, for every timer of it. */
  readonly onDue: () => void;

  /** So much may come before the first acknowledgement does. */
  freeBytes = Infinity;
  rampTimer: Timer | undefined;

  // Scratch of `FairShare`.
  mark = 0;
  nextRate = 0;
  nextBottleneck: Link | undefined;

  readonly #owner: FlowOwner;
  readonly #cap: number;
  readonly #roundTripUs: number;
  /** Infinity: it has grown enough. */
  #window: number;
  #isRamping = false;
  #wanted = 0;
  #arrived = 0;
  #sinceUs = 0;
  #cameSinceUs = 0;
  /** Nothing of what is wanted has come. */
  #isUntouched = true;
  #quantumUs = 0;
  #lastRate = 0;
  #onArrived: ((bytes: number) => void) | undefined;

  constructor(owner: FlowOwner, path: readonly Link[], options: FlowOptions) {
    this.onDue = () => {
      owner.onDue(this);
    };
    const { capBytesPerSecond = unboundedRate, windowBytes = Infinity, roundTripUs = 0 } = options;
    this.#owner = owner;
    this.path = path;
    this.#cap = capBytesPerSecond;
    this.#roundTripUs = roundTripUs;
    this.#window = windowBytes;
    this.limit = capBytesPerSecond;
  }

  get isWanted(): boolean {
    return this.#onArrived !== undefined;
  }

  /** When the first of the bytes that were told of last began to come: from then on they came without a pause. */
  get cameSinceUs(): number {
    return this.#cameSinceUs;
  }

  /** Bytes have come that nobody has been told of. */
  get hasArrived(): boolean {
    return this.#arrived >= 1;
  }

  /** Calls back when `bytes` more have come, or those of them that came in `quantumUs`. */
  want(bytes: number, quantumUs: number, onArrived: (bytes: number) => void): void {
    this.#wanted = bytes;
    this.#onArrived = onArrived;
    this.#sinceUs = this.#owner.nowUs();
    this.#cameSinceUs = this.#sinceUs;
    this.#isUntouched = true;
    this.#quantumUs = quantumUs;
    this.patienceEndsUs = this.#sinceUs + quantumUs;
    this.#owner.onChanged(this);
  }

  /** Gives up what is wanted: how many bytes of it have come. */
  interrupt(): number {
    if (this.#onArrived === undefined) return 0;
    this.advance();
    const bytes = Math.min(this.#wanted, Math.floor(this.#arrived));
    this.#count(bytes);
    this.close();
    return bytes;
  }

  /** Gives up what is wanted. Idempotent. */
  close(): void {
    this.rampTimer?.cancel();
    this.rampTimer = undefined;
    this.#arrived = 0;
    this.#onArrived = undefined;
    if (this.isActive) this.#owner.onClosed(this);
  }

  /** What it leaves to the connection's next use: Infinity after it has grown enough. */
  get windowBytes(): number {
    return this.#window;
  }

  /** What is under way unacknowledged at the rate that it last had. */
  get unacknowledgedBytes(): number {
    return Math.ceil((this.#lastRate * this.#roundTripUs) / 1_000_000);
  }

  /** Its bound and its limit, by what its links carry now. */
  measure(): void {
    let least = Math.min(this.#cap, unboundedRate);
    for (const { bytesPerSecond } of this.path) least = Math.min(least, bytesPerSecond);
    this.bound = Math.ceil(least);
    this.limit = this.#isRamping ? Math.min(least, this.#windowRate()) : least;
  }

  /** Bytes are wanted of it after a while without: what its window holds comes at once. */
  begin(): void {
    this.#isRamping = false;
    this.measure();
    if (this.#windowRate() >= this.limit) this.#window = Infinity;
    this.freeBytes = this.#window;
  }

  /** A window has come, and its acknowledgement: the next one is twice as large. False: it is not what holds the flow back any more. */
  ramp(): boolean {
    const isHeldBack = !this.#isRamping || this.rate >= this.#windowRate() * (1 - 1e-9);
    const most = this.#isRamping ? this.bound : this.rate;
    if (isHeldBack) this.#window *= 2;
    this.#isRamping = isHeldBack && this.#windowRate() < most;
    if (!this.#isRamping) this.#window = Infinity;
    this.freeBytes = Infinity;
    this.measure();
    return this.#isRamping;
  }

  get roundTripUs(): number {
    return this.#roundTripUs;
  }

  #windowRate(): number {
    return this.#roundTripUs === 0 ? Infinity : (this.#window * 1_000_000) / this.#roundTripUs;
  }

  /** Accounts for the time since the last call. */
  advance(): void {
    const nowUs = this.#owner.nowUs();
    if (nowUs === this.#sinceUs) return;
    const before = this.#arrived;
    if (this.rate > 0 && this.#isUntouched) {
      this.#cameSinceUs = this.#sinceUs;
      this.#isUntouched = false;
    }
    this.#arrived = Math.min(this.#wanted, before + (this.rate * (nowUs - this.#sinceUs)) / 1_000_000);
    this.freeBytes -= this.#arrived - before;
    this.#sinceUs = nowUs;
    if (this.rate > 0) this.#lastRate = this.rate;
  }

  /** When all that is wanted, or all of its window, will have come at this rate. */
  endUs(): number {
    if (this.#onArrived === undefined || this.rate === 0) return Infinity;
    const bytes = Math.min(this.#wanted - this.#arrived, this.freeBytes);
    const endUs = this.#sinceUs + Math.ceil((Math.max(0, bytes) * 1_000_000) / this.rate);
    return endUs < Number.MAX_SAFE_INTEGER ? endUs : Infinity;
  }

  /** Nothing more comes: a reader that would not wait for all is given at once what has. */
  halt(): void {
    if (this.hasArrived && this.#quantumUs !== Infinity) this.patienceEndsUs = this.#owner.nowUs();
  }

  /** Calls back if all has come. */
  deliverAll(): void {
    if (this.#onArrived === undefined) return;
    this.advance();
    if (this.#wanted - this.#arrived >= 0.5) return;
    this.#arrived = 0;
    this.#deliver(this.#wanted);
  }

  /** Calls back with what has come, if that is a byte; else the reader waits on. */
  deliverSome(): void {
    if (this.#onArrived === undefined) return;
    this.advance();
    const bytes = Math.floor(this.#arrived);
    if (bytes < 1) {
      const byteUs = this.rate === 0 ? 0 : Math.ceil(1_000_000 / this.rate);
      this.patienceEndsUs = this.#owner.nowUs() + Math.max(this.#quantumUs, byteUs);
      return;
    }
    this.#arrived -= bytes;
    this.#deliver(bytes);
  }

  #deliver(bytes: number): void {
    const onArrived = this.#onArrived;
    this.#onArrived = undefined;
    this.#count(bytes);
    this.#owner.onChanged(this);
    onArrived?.(bytes);
  }

  #count(bytes: number): void {
    for (const link of this.path) link.carried += bytes;
  }
}
