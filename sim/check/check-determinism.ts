import { plainEvent } from '../run/record-trace.ts';
import type { TraceEvent } from '../run/record-trace.ts';
import type { DrainStrategy } from '../kernel/drain.ts';
import { simulate } from '../run/simulate.ts';
import type { SimulateOptions } from '../run/simulate.ts';
import type { World } from '../run/world.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { Fingerprints } from './fingerprints.ts';

export interface CheckOptions extends Omit<SimulateOptions, 'drain'> {
  /** How much is told of what happened before and after the first difference. @default 5 */
  readonly neighbours?: number;
}

/** A callback of the kernel, before anything that it does. */
export interface KernelEvent {
  readonly type: 'event';
  readonly ordinal: number;
  readonly atUs: number;
  /** Its number in the order in which events were scheduled. */
  readonly sequence: number;
}

export type CheckedEvent = KernelEvent | TraceEvent;

export interface CheckedRun {
  readonly drain: DrainStrategy;
  /** Undefined where the run failed: then `failure` says why. */
  readonly hash: string | undefined;
  readonly failure?: string;
  readonly events: number;
}

export interface Divergence {
  /** Which of the runs it is that differs from the first. */
  readonly run: number;
  /** Alike in both. */
  readonly before: readonly CheckedEvent[];
  /** From the first difference on; empty where a run had ended. */
  readonly first: readonly CheckedEvent[];
  readonly other: readonly CheckedEvent[];
  /** False when the first run, done again to see what it had been, was another one once more. */
  readonly isFirstRepeatable: boolean;
}

export interface CheckReport {
  readonly scenario: string;
  readonly seed: number;
  readonly runs: readonly CheckedRun[];
  /** Undefined when all runs were the same. */
  readonly divergence: Divergence | undefined;
}

/** Runs a scenario twice as it is and once with promises drained the other way; says what happened first that was not the same. */
export async function checkDeterminism(scenario: Scenario, options: CheckOptions = {}): Promise<CheckReport> {
  const { neighbours = 5, seed = 1 } = options;
  const reference = new Fingerprints();
  const first = await run(scenario, options, 'immediate', (fingerprint) => {
    reference.add(fingerprint);
  });
  const runs = [first];
  for (const drain of ['immediate', 'tick'] as const) {
    const watch = new Comparison(reference, neighbours);
    const other = await run(scenario, options, drain, watch.onEvent);
    runs.push(other);
    const index = watch.differsFrom ?? (other.hash === first.hash ? undefined : reference.count);
    if (index === undefined) continue;
    const again = new Window(reference, index, neighbours);
    await run(scenario, options, 'immediate', again.onEvent);
    const { before, after, isSame } = again;
    const divergence = { run: runs.length, before, first: after, other: watch.after, isFirstRepeatable: isSame };
    return { scenario: scenario.name, seed, runs, divergence };
  }
  return { scenario: scenario.name, seed, runs, divergence: undefined };
}

type OnEvent = (fingerprint: number, event: () => CheckedEvent) => void;

async function run(
  scenario: Scenario,
  { neighbours: _neighbours, ...options }: CheckOptions,
  drain: DrainStrategy,
  onEvent: OnEvent,
): Promise<CheckedRun> {
  const state: { world?: World } = {};
  const onWorld = (world: World): void => {
    state.world = world;
    watchAll(world, onEvent);
    options.onWorld?.(world);
  };
  try {
    const { hash, events } = await simulate(scenario, { ...options, drain, onWorld });
    return { drain, hash, events };
  } catch (cause) {
    return { drain, hash: undefined, failure: String(cause), events: state.world?.kernel.executed ?? 0 };
  }
}

function watchAll({ kernel, trace }: World, onEvent: OnEvent): void {
  kernel.watchEvents((sequence) => {
    onEvent(kernel.hash.state, () => ({
      type: 'event',
      ordinal: kernel.executed,
      atUs: kernel.nowUs(),
      sequence,
    }));
  });
  trace.watch((event) => {
    onEvent(kernel.hash.state, () => plainEvent(event));
  });
}

/** Finds where a run leaves another one, and keeps what comes next. */
class Comparison {
  readonly after: CheckedEvent[] = [];
  readonly #reference: Fingerprints;
  readonly #neighbours: number;
  #index = 0;
  #differsFrom: number | undefined;

  constructor(reference: Fingerprints, neighbours: number) {
    this.#reference = reference;
    this.#neighbours = neighbours;
  }

  get differsFrom(): number | undefined {
    // A run that ended early, the same until then.
    return this.#differsFrom ?? (this.#index < this.#reference.count ? this.#index : undefined);
  }

  readonly onEvent: OnEvent = (fingerprint, event) => {
    if (this.#differsFrom === undefined && this.#reference.at(this.#index) !== fingerprint)
      this.#differsFrom = this.#index;
    if (this.#differsFrom !== undefined && this.after.length <= this.#neighbours) this.after.push(event());
    this.#index += 1;
  };
}

/** Keeps what happens around one place of a run. */
class Window {
  readonly before: CheckedEvent[] = [];
  readonly after: CheckedEvent[] = [];
  readonly #reference: Fingerprints;
  readonly #place: number;
  readonly #neighbours: number;
  #index = 0;
  #isSame = true;

  constructor(reference: Fingerprints, place: number, neighbours: number) {
    this.#reference = reference;
    this.#place = place;
    this.#neighbours = neighbours;
  }

  get isSame(): boolean {
    return this.#isSame;
  }

  readonly onEvent: OnEvent = (fingerprint, event) => {
    const distance = this.#index - this.#place;
    if (distance <= 0 && this.#reference.at(this.#index) !== fingerprint) this.#isSame = false;
    if (distance < 0 && distance >= -this.#neighbours) this.before.push(event());
    if (distance >= 0 && distance <= this.#neighbours) this.after.push(event());
    this.#index += 1;
  };
}
