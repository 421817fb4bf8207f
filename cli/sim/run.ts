import { formatLeague, judgeExpectations, league, leagueLegend, simulate } from '../../sim/index.ts';
import type { Plan, PolicyName, SimResult } from '../../sim/index.ts';
import { loadPlan } from './load-plan.ts';
import type { RunOptions } from './sim-commands.ts';
import type { SimIo } from './sim-io.ts';

const interrupted = 130;
const progressEveryMs = 250;

/** Runs each policy of a scenario on the same seeds, and prints a line for each. Stopped, it prints what is known by then. */
export async function run(options: RunOptions, io: SimIo): Promise<number> {
  const plan = await loadPlan(options.scenario, options);
  const results: SimResult[] = [];
  const runs = Array.from({ length: plan.seeds }, (_, index) => options.seed + index).flatMap((seed) =>
    plan.policies.map((policy) => ({ seed, policy })),
  );
  for (const each of runs) {
    if (io.signal.aborted) break;
    const result = await runOnce(plan, each, { done: results.length, all: runs.length }, io);
    if (result !== undefined) results.push(result);
  }
  const troubles = troublesOf(plan, results);
  const isStopped = results.length < runs.length;
  if (options.json) io.writeOut(`${JSON.stringify({ ...summaryOf(plan, results), troubles, stopped: isStopped })}\n`);
  else {
    io.progress.line(isStopped ? `Stopped after ${results.length} of ${runs.length} runs.` : undefined);
    const rows = league(plan.scenario, results);
    if (rows.length > 0) io.writeOut(`${formatLeague(rows)}\n${leagueLegend}\n`);
    for (const trouble of troubles) io.writeOut(`✘ ${trouble}\n`);
  }
  if (isStopped) return interrupted;
  return troubles.length === 0 ? 0 : 1;
}

interface Place {
  readonly done: number;
  readonly all: number;
}

/** Undefined: stopped before its end, so nothing is known of it. */
async function runOnce(
  { scenario }: Plan,
  { seed, policy }: { readonly seed: number; readonly policy: PolicyName },
  { done, all }: Place,
  { signal, progress }: SimIo,
): Promise<SimResult | undefined> {
  const state = { ended: 0, nowUs: (): number => 0 };
  const timer = setInterval(() => {
    const what = `${scenario.name} · ${policy}, seed ${seed} · run ${done + 1} of ${all}`;
    const pulls = `${state.ended} of ${scenario.workload.length} pulls`;
    progress.progress(`${what} · ${pulls}, ${(state.nowUs() / 1_000_000).toFixed(1)} s simulated`);
  }, progressEveryMs);
  try {
    const result = await simulate(scenario, {
      seed,
      policy,
      drain: 'tick',
      onWorld: ({ kernel, trace }) => {
        state.nowUs = () => kernel.nowUs();
        trace.watch(({ type }) => {
          if (type === 'pull-end') state.ended += 1;
        });
        signal.addEventListener('abort', () => {
          kernel.stop();
        });
      },
    });
    return signal.aborted ? undefined : result;
  } finally {
    clearInterval(timer);
  }
}

function troublesOf(plan: Plan, results: readonly SimResult[]): readonly string[] {
  return results.flatMap((result) => [
    ...result.violations.map(
      ({ oracle, atUs, message }) =>
        `${result.policy}, seed ${result.seed}: the law ${oracle} was broken at ${(atUs / 1_000_000).toFixed(3)} s: ${message}`,
    ),
    ...judgeExpectations(plan, result).map(({ says }) => says),
  ]);
}

function summaryOf({ scenario }: Plan, results: readonly SimResult[]): object {
  return {
    scenario: scenario.name,
    shows: scenario.shows,
    nodes: scenario.cluster.nodes,
    league: league(scenario, results),
    runs: results,
  };
}
