import { drawScenario } from '../draw/draw-scenario.ts';
import { drawScene } from '../draw/draw-scene.ts';
import type { DrainStrategy } from '../kernel/drain.ts';
import { createSimRandom } from '../kernel/random.ts';
import type { SimRandom } from '../kernel/random.ts';
import type { Violation } from '../oracles/oracle.ts';
import { watchProbes } from '../probes/probe-counts.ts';
import { simulate } from '../run/simulate.ts';
import type { SimulateOptions } from '../run/simulate.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { healCore } from './heal-core.ts';
import { configure, season } from './season.ts';

/** What came of one run. */
export interface Outcome {
  readonly violation: Violation | undefined;
  readonly events: number;
  readonly hash: string;
  /** Names of what it came across, of the catalogue of probes. */
  readonly probes: readonly string[];
}

/** A run of a drawn scenario that has not ended after so many events goes round in circles: the largest need a fiftieth of them. */
export const eventsMax = 5_000_000;

/**
 * What a seed means to a hunt: two of three a small scene, the third a wild cluster, in a few of them a large one; configured by chance, the scenes mostly as is usual. In some a core of nodes is
 * healed while the rest stays as it is.
 */
export function huntedScenario(seed: number): Scenario {
  const random = createSimRandom(seed);
  const isScene = random.fork('scene').chance(2, 3);
  const seasoned = random.fork('season');
  const scenario = isScene ? scene(seed, seasoned) : season(drawWild(seed, random.fork('size')), seasoned);
  const heals = random.fork('heal');
  return heals.chance(1, isScene ? 10 : 3) ? healCore(scenario, heals) : scenario;
}

function drawWild(seed: number, random: SimRandom): Scenario {
  return drawScenario(seed, { size: random.chance(1, 64) ? 'large' : 'small' });
}

function scene(seed: number, random: SimRandom): Scenario {
  const drawn = drawScene(seed);
  return random.fork('is configured').chance(1, 2) ? configure(drawn, random) : drawn;
}

/** A run that fails breaks a law too. */
export async function runOnce(
  scenario: Scenario,
  seed: number,
  { drain = 'tick', ...rest }: Pick<SimulateOptions, 'drain' | 'watched'> = {},
): Promise<Outcome> {
  return attempt(scenario, { seed, drain, eventsMax, stackFrames: 0, ...rest });
}

async function attempt(scenario: Scenario, options: SimulateOptions): Promise<Outcome> {
  const state: { seen?: () => readonly string[] } = {};
  const onWorld: SimulateOptions['onWorld'] = ({ trace }) => {
    state.seen = watchProbes(trace);
  };
  try {
    const { events, hash, violations } = await simulate(scenario, { ...options, onWorld });
    const probes = state.seen?.() ?? [];
    const violation = violations[0] ?? (events >= eventsMax ? livelock(events) : undefined);
    return { violation, events, hash, probes };
  } catch (cause) {
    // The same again, to learn where.
    if (options.stackFrames === 0) return attempt(scenario, { ...options, stackFrames: 10 });
    const message = cause instanceof Error ? `${cause.message}\n${cause.stack}` : String(cause);
    return { violation: { oracle: 'nothingThrows', atUs: 0, event: 0, message }, events: 0, hash: '', probes: [] };
  }
}

function livelock(events: number): Violation {
  return { oracle: 'livelock', atUs: 0, event: events, message: `${events} events, and it has not ended` };
}

/** The same run again, promises drained the other way: a violation where it is not the same. */
export async function recheck(scenario: Scenario, seed: number, { hash }: Outcome): Promise<Violation | undefined> {
  const drain: DrainStrategy = 'immediate';
  const again = await runOnce(scenario, seed, { drain });
  if (again.hash === hash) return undefined;
  return { oracle: 'runsAreEqual', atUs: 0, event: 0, message: `the same run gave ${hash} and then ${again.hash}` };
}
