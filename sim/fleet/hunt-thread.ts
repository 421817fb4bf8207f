import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../core/index.ts';
import type { Violation } from '../oracles/oracle.ts';
import type { HuntOrder, HuntReport } from './messages.ts';

/** A clock of this machine: how long is hunted, and when a run stands still. */
export type HostClock = Pick<Clock, 'nowUs' | 'schedule'>;

/** A run that takes longer does not move any more: a loop without an event, since loops of events are counted. */
const standstillUs = 120_000_000;

type OrderText = HuntOrder extends infer Order ? (Order extends HuntOrder ? Omit<Order, 'id'> : never) : never;

/** One thread of a hunt; begun at its first order, and anew after one that ended it. */
export class HuntThread {
  readonly #clock: HostClock;
  readonly #standstillUs: number;
  #worker: Worker | undefined;
  #lastId = 0;
  #giveUp: (() => void) | undefined;

  constructor(clock: HostClock, standstill = standstillUs) {
    this.#clock = clock;
    this.#standstillUs = standstill;
  }

  /** One at a time. Resolves with what broke where the thread died of it or did not come back; undefined: it was ended meanwhile. */
  do(text: OrderText): Promise<HuntReport | Violation | undefined> {
    const { promise, resolve } = Promise.withResolvers<HuntReport | Violation | undefined>();
    const worker = (this.#worker ??= new Worker(workerUrl()));
    this.#lastId += 1;
    const order: HuntOrder = { ...text, id: this.#lastId };
    const end = (result: HuntReport | Violation | undefined): void => {
      timer.cancel();
      worker.off('message', onReport);
      worker.off('error', onError);
      this.#giveUp = undefined;
      resolve(result);
    };
    const broken = (oracle: string, message: string): void => {
      this.#worker = undefined;
      void worker.terminate();
      end({ oracle, atUs: 0, event: 0, message });
    };
    const onReport = (report: HuntReport): void => {
      if (report.id === order.id) end(report);
    };
    const onError = (cause: unknown): void => {
      broken('crash', cause instanceof Error ? `${cause.message}\n${cause.stack}` : String(cause));
    };
    const timer = this.#clock.schedule(this.#standstillUs, () => {
      broken('standstill', `nothing came of a run for ${this.#standstillUs / 1_000_000} s`);
    });
    this.#giveUp = () => {
      end(undefined);
    };
    worker.on('message', onReport);
    worker.on('error', onError);
    worker.postMessage(order);
    return promise;
  }

  /** Whatever it does is given up. */
  async end(): Promise<void> {
    this.#giveUp?.();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

/** Beside this file, in sources and in the built library; the program in one file has the library next to it. */
function workerUrl(): URL {
  const places = ['./hunt-worker.ts', './hunt-worker.js', '../sim/fleet/hunt-worker.js', './sim/fleet/hunt-worker.js'];
  const urls = places.map((place) => new URL(place, import.meta.url));
  const found = urls.find((url) => existsSync(url));
  if (found === undefined) throw new Error('the part of peili that runs in threads is not where it was built to');
  return found;
}
