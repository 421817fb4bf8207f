import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../core/index.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { PlantedData, RunOrder, RunReport } from './messages.ts';
import type { Patch } from './mutation.ts';

/** A clock of this machine: how long a bug is hunted, and when a run stands still. */
export type HostClock = Pick<Clock, 'nowUs' | 'schedule'>;

/** Where the repository's sources are: what is planted is planted there. */
export const sourcesRoot = new URL('../../', import.meta.url);

/** Bugs are planted in sources: a build has none. */
export function assertSources(): void {
  if (existsSync(new URL('core/create-mirror.ts', sourcesRoot)) && import.meta.url.endsWith('.ts')) return;
  throw new Error(
    'bugs are planted in the sources of peili: run it in a checkout of its repository (npx peili sim mutations)',
  );
}

/** A run that takes longer does not move any more: a loop without an event. */
const standstillUs = 30_000_000;

/** One thread whose sources have these patches; begun at its first run, and anew after one that ended it. */
export class PlantedThread {
  readonly #clock: HostClock;
  readonly #data: PlantedData;
  #worker: Worker | undefined;
  #lastId = 0;

  constructor(clock: HostClock, patches: readonly Patch[]) {
    this.#clock = clock;
    this.#data = { patches, root: sourcesRoot.href };
  }

  /** Runs a scenario once. A thread that dies of it, or does not come back, is a violation too. One at a time. */
  run(scenario: Scenario, seed: number): Promise<RunReport> {
    const { promise, resolve } = Promise.withResolvers<RunReport>();
    const worker = (this.#worker ??= new Worker(new URL('./worker.ts', import.meta.url), { workerData: this.#data }));
    const startedUs = this.#clock.nowUs();
    this.#lastId += 1;
    const order: RunOrder = { id: this.#lastId, scenario, seed };
    const end = (report: RunReport): void => {
      timer.cancel();
      worker.off('message', onReport);
      worker.off('error', onError);
      resolve(report);
    };
    const broken = (oracle: string, message: string): void => {
      this.#worker = undefined;
      void worker.terminate();
      end({ id: order.id, violation: { oracle, message }, cpuUs: this.#clock.nowUs() - startedUs });
    };
    const onReport = (report: RunReport): void => {
      if (report.id === order.id) end(report);
    };
    const onError = (cause: unknown): void => {
      broken('crash', cause instanceof Error ? cause.message : String(cause));
    };
    const timer = this.#clock.schedule(standstillUs, () => {
      broken('standstill', `nothing came of a run for ${standstillUs / 1_000_000} s`);
    });
    worker.on('message', onReport);
    worker.on('error', onError);
    worker.postMessage(order);
    return promise;
  }

  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
