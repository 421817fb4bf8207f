import { applyFaults } from '../faults/apply-faults.ts';
import { drainByImmediate } from '../kernel/drain.ts';
import type { DrainStrategy } from '../kernel/drain.ts';
import { installPoisonGuard } from '../kernel/poison-guard.ts';
import type { PoisonGuard } from '../kernel/poison-guard.ts';
import { policies } from '../policies/named.ts';
import type { PolicyName } from '../policies/named.ts';
import type { Policy } from '../policies/policy.ts';
import { watchTraffic } from './traffic.ts';
import type { Traffic } from './traffic.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { startAsks } from './start-asks.ts';
import { startPods } from './start-pods.ts';
import type { PodResult } from './start-pods.ts';
import { startWorkload } from './start-workload.ts';
import type { PullResult } from './start-workload.ts';
import { createWorld } from './world.ts';
import type { World, WorldOptions } from './world.ts';
import { oracles, watchWith } from '../oracles/all.ts';
import type { OracleFactory, Violation } from '../oracles/oracle.ts';

export interface SimulateOptions {
  /** @default 1 */
  readonly seed?: number;
  /** One that is named, or one of your own. @default 'peili' */
  readonly policy?: PolicyName | Policy;
  /** @default 'immediate' */
  readonly drain?: DrainStrategy;
  /** The laws that are watched, where the policy is ours. The first one that is broken ends the run. @default all of them */
  readonly watched?: Readonly<Record<string, OracleFactory>>;
  /** Stops after so many events of the kernel, as a replay does at the one that failed. @default no bound */
  readonly eventsMax?: number;
  /** Whether a use of real time or chance fails the run. @default true */
  readonly isGuarded?: boolean;
  /** Frames in the stacks of errors of a guarded run. Whoever does many runs needs none: the one that failed can be done again. @default as Node has it */
  readonly stackFrames?: number;
  /** Sees the world before its time begins: to watch its events, to add rules. */
  readonly onWorld?: (world: World) => void;
}

export interface SimResult {
  readonly scenario: string;
  readonly policy: string;
  readonly seed: number;
  readonly pulls: readonly PullResult[];
  readonly pods: readonly PodResult[];
  /** From the start of the first pull or pod to the end of the last one. */
  readonly makespanUs: number;
  readonly upstreamBytes: number;
  readonly upstreamRequests: number;
  readonly traffic: Traffic;
  /** Events of the kernel: callbacks that were due and happened. */
  readonly events: number;
  /** Times that two events were due at once with the same priority: `swaps` of the scenario below this number took place. */
  readonly ties: number;
  /** Equal for equal runs. */
  readonly hash: string;
  /** Laws that were broken; empty when all is well. */
  readonly violations: readonly Violation[];
}

/** Runs a scenario once. */
export async function simulate(scenario: Scenario, options: SimulateOptions = {}): Promise<SimResult> {
  const { isGuarded = true, stackFrames } = options;
  const guard = isGuarded ? installPoisonGuard(stackFrames === undefined ? {} : { stackFrames }) : undefined;
  try {
    // What others of this process have begun goes on before the guard stands.
    await drainByImmediate();
    return await runScenario(scenario, options, guard);
  } finally {
    guard?.dispose();
  }
}

async function runScenario(
  scenario: Scenario,
  {
    seed = 1,
    policy: chosen = 'peili',
    drain = 'immediate',
    onWorld,
    eventsMax = Infinity,
    watched = oracles,
  }: SimulateOptions,
  guard: PoisonGuard | undefined,
): Promise<SimResult> {
  const policy = typeof chosen === 'string' ? policies[chosen] : chosen;
  const world = build(scenario, { seed, policy, drain, swaps: scenario.swaps ?? [] }, guard);
  const traffic = watchTraffic(world);
  onWorld?.(world);
  const watching = watchWith(policy.isOurs ? watched : {}, world, scenario);
  applyFaults(world, scenario.faults);
  const asks = startAsks(world, scenario);
  const open = { count: scenario.workload.length + (scenario.pods?.length ?? 0) };
  const onEnded = (): void => {
    open.count -= 1;
    if (open.count === 0) world.kernel.stop();
  };
  const pulls = startWorkload(world, scenario, onEnded);
  const pods = startPods(world, scenario, onEnded);
  const end = await world.kernel.run({ untilUs: scenario.untilUs, eventsMax });
  if (end === 'stopped' && watching.violations.length === 0) {
    const leftUs = scenario.asks === undefined ? 0 : hangUpUs;
    await world.kernel.run({ untilUs: world.kernel.nowUs() + restUs - leftUs, eventsMax });
    asks.hangUp();
    if (leftUs > 0) await world.kernel.run({ untilUs: world.kernel.nowUs() + leftUs, eventsMax });
  }
  // Stopped in the middle, as a replay is: nothing has had the time to end.
  if (world.kernel.executed < eventsMax) await watching.end();
  const books = traffic();
  return {
    scenario: scenario.name,
    policy: policy.name,
    seed,
    pulls,
    pods,
    makespanUs: makespanOf(
      [...pulls, ...pods.map(({ startUs, readyUs }) => ({ startUs, tookUs: readyUs }))],
      scenario.untilUs,
    ),
    upstreamBytes: books.upstreamBytes,
    upstreamRequests: books.upstreamRequests,
    traffic: books,
    events: world.kernel.executed,
    ties: world.kernel.ties,
    hash: world.kernel.hash.digest(),
    violations: watching.violations,
  };
}

function makespanOf(
  all: readonly { readonly startUs: number; readonly tookUs: number | undefined }[],
  untilUs: number,
): number {
  let [firstUs, lastUs] = [Infinity, 0];
  for (const { startUs, tookUs } of all) {
    firstUs = Math.min(firstUs, startUs);
    lastUs = Math.max(lastUs, startUs + (tookUs ?? untilUs - startUs));
  }
  return Math.max(0, lastUs - firstUs);
}

/** After the last pull: what is still under way ends, and nothing may be left. */
const restUs = 5_000_000;
/** So long before its end whoever still asks hangs up. */
const hangUpUs = 250_000;

/** Building is under guard as running is. */
function build(scenario: Scenario, options: WorldOptions, guard: PoisonGuard | undefined): World {
  if (guard === undefined) return createWorld(scenario, options);
  const misuses: Error[] = [];
  guard.enter((misuse) => misuses.push(misuse));
  try {
    const world = createWorld(scenario, { ...options, guard });
    const [misuse] = misuses;
    if (misuse !== undefined) throw misuse;
    return world;
  } finally {
    guard.leave();
  }
}
