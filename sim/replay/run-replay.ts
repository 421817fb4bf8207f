import { recordTrace } from '../run/record-trace.ts';
import type { TraceEvent, TraceRecording } from '../run/record-trace.ts';
import { simulate } from '../run/simulate.ts';
import type { SimResult, SimulateOptions } from '../run/simulate.ts';
import type { Replay } from './replay-text.ts';

export interface ReplayOptions extends Omit<SimulateOptions, 'seed' | 'policy' | 'eventsMax'> {
  /** How many of the last things that happened are kept. @default 40 */
  readonly lastMax?: number;
}

export interface ReplayResult {
  /** Undefined where the run itself failed: then `failure` is what it threw. */
  readonly result: SimResult | undefined;
  readonly failure?: unknown;
  /** What happened last, the event at which the run stopped included. */
  readonly last: readonly TraceEvent[];
}

/** Does a run again, up to the event that the replay names, or to its end. */
export async function runReplay(replay: Replay, options: ReplayOptions = {}): Promise<ReplayResult> {
  const { lastMax = 40, onWorld, ...rest } = options;
  const { scenario, seed, policy, event } = replay;
  const kept: { recording?: TraceRecording } = {};
  try {
    const result = await simulate(scenario, {
      drain: 'tick',
      ...rest,
      seed,
      policy,
      ...(event === undefined ? {} : { eventsMax: event }),
      onWorld: (world) => {
        kept.recording = recordTrace(world.trace, { eventsMax: lastMax });
        onWorld?.(world);
      },
    });
    return { result, last: kept.recording?.events() ?? [] };
  } catch (failure) {
    return { result: undefined, failure, last: kept.recording?.events() ?? [] };
  }
}
