import { writeFile } from 'node:fs/promises';
import { PeiliError } from '../../core/index.ts';
import {
  explainLeague,
  formatReplay,
  formatLeague,
  judgeExpectations,
  league,
  recordRun,
  simulate,
} from '../../sim/index.ts';
import type { Plan, PolicyName, RunRecord, RunRecording, SimResult, World } from '../../sim/index.ts';
import { wrapWords } from '../wrap-words.ts';
import { loadPlan } from './load-plan.ts';
import { scenarioNamed } from './named-scenario.ts';
import { renderReport } from './report/report-page.ts';
import type { RunOptions } from './sim-commands.ts';
import { sayFileTrouble } from './file-trouble.ts';
import type { SimIo } from './sim-io.ts';

const interrupted = 130;
const progressEveryMs = 250;

interface RunOf {
  readonly policy: PolicyName;
  readonly seed: number;
  /** Whether what happens in it is kept for the report. */
  readonly isRecorded: boolean;
  readonly place: string;
}

interface Done {
  readonly result: SimResult;
  readonly record: RunRecord | undefined;
}

/** Runs each policy of a scenario on the same seeds, and prints a line for each. Stopped, it prints what is known by then. */
export async function run(options: RunOptions, io: SimIo): Promise<number> {
  const { plan, text } = await loadPlan(options.scenario, options);
  const runs = runsOf(plan, options);
  const done = await runAll(plan, runs, io);
  const results = done.map(({ result }) => result);
  const troubles = troublesOf(plan, results, replayOf(options.scenario, plan));
  const isStopped = results.length < runs.length;
  if (isStopped) io.progress.line(`Stopped after ${results.length} of ${runs.length} runs.`);
  if (options.json) io.writeOut(`${JSON.stringify(summaryOf(plan, results, troubles, isStopped))}\n`);
  else io.writeOut([tableOf(plan, results, io.width), ...troubles.map((trouble) => `✘ ${trouble}\n`)].join(''));
  if (options.report !== undefined) {
    const records = done.flatMap(({ record }) => (record === undefined ? [] : [record]));
    const command = commandOf(options);
    const page = renderReport({ plan, text, command, version: io.version, results, runs: records, troubles });
    await write(options.report, page);
    io.progress.line(`The report is in ${options.report}.`);
  }
  if (isStopped) return interrupted;
  return troubles.length === 0 ? 0 : 1;
}

function runsOf({ seeds, policies }: Plan, { report, seed: first }: RunOptions): readonly RunOf[] {
  const all = seeds * policies.length;
  return Array.from({ length: seeds }, (_, index) => first + index).flatMap((seed, row) =>
    policies.map((policy, column) => ({
      policy,
      seed,
      isRecorded: report !== undefined && row === 0,
      place: `run ${row * policies.length + column + 1} of ${all}`,
    })),
  );
}

/** What is under way, for who waits. */
interface Watch {
  says: () => string;
}

/** All of them in turn, as long as nobody stops it. */
async function runAll(plan: Plan, runs: readonly RunOf[], io: SimIo): Promise<readonly Done[]> {
  const done: Done[] = [];
  const watch: Watch = { says: () => plan.scenario.name };
  const timer = setInterval(() => {
    io.progress.progress(watch.says());
  }, progressEveryMs);
  try {
    for (const each of runs) {
      const one = io.signal.aborted ? undefined : await runOnce(plan, each, watch, io.signal);
      if (one !== undefined) done.push(one);
    }
    return done;
  } finally {
    clearInterval(timer);
  }
}

/** Undefined: stopped before its end, so nothing is known of it. */
async function runOnce(
  { scenario }: Plan,
  { seed, policy, isRecorded, place }: RunOf,
  watch: Watch,
  signal: AbortSignal,
): Promise<Done | undefined> {
  const state: { ended: number; world: World | undefined; recording: RunRecording | undefined } = {
    ended: 0,
    world: undefined,
    recording: undefined,
  };
  watch.says = () => {
    // Of a pod's pulls nobody knows how many they will be.
    const all = scenario.pods === undefined ? ` of ${scenario.workload.length}` : '';
    const pulls = `${state.ended}${all} pulls`;
    const time = `${((state.world?.kernel.nowUs() ?? 0) / 1_000_000).toFixed(1)} s simulated`;
    return `${scenario.name} · ${policy}, seed ${seed} · ${place} · ${pulls}, ${time}`;
  };
  const onAbort = (): void => {
    state.world?.kernel.stop();
  };
  signal.addEventListener('abort', onAbort);
  try {
    const result = await simulate(scenario, {
      seed,
      policy,
      drain: 'tick',
      onWorld: (world) => {
        state.world = world;
        world.trace.watch(({ type }) => {
          if (type === 'pull-end') state.ended += 1;
        });
        if (isRecorded) state.recording = recordRun(world);
      },
    });
    return signal.aborted ? undefined : { result, record: state.recording?.record(result) };
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function tableOf({ scenario }: Plan, results: readonly SimResult[], width: number): string {
  if (results.length === 0) return '';
  const rows = league(scenario, results);
  const explained = explainLeague(rows)
    .split('\n')
    .flatMap((line) => wrapWords(line, width, '  '));
  return `${formatLeague(rows)}\n${explained.join('\n')}`;
}

function commandOf({ scenario, nodes, policies, seed, seeds, set }: RunOptions): string {
  return [
    `peili sim run ${scenario}`,
    ...(nodes === undefined ? [] : [`--nodes ${nodes}`]),
    ...(policies === undefined ? [] : [`--policy ${policies.join(',')}`]),
    ...(seed === 1 ? [] : [`--seed ${seed}`]),
    ...(seeds === undefined ? [] : [`--seeds ${seeds}`]),
    ...set.map((change) => `--set ${change}`),
  ].join(' ');
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    const why = sayFileTrouble(error);
    throw new PeiliError('OPTION_INVALID', `--report ${JSON.stringify(file)} cannot be written: ${why}`, {}, error);
  }
}

type SayReplay = (result: SimResult, event: number) => string;

/** A named scenario by its name: the line is short then. */
function replayOf(name: string, { scenario, policies }: Plan): SayReplay {
  const known = scenarioNamed(name) === undefined ? scenario : { ...scenario, name };
  return ({ policy, seed }, event) => {
    const found = policies.find((each) => each === policy);
    return found === undefined
      ? ''
      : `; peili sim replay '${formatReplay({ scenario: known, seed, policy: found, event }, scenarioNamed)}'`;
  };
}

function troublesOf(plan: Plan, results: readonly SimResult[], sayReplay: SayReplay): readonly string[] {
  return results.flatMap((result) => [
    ...result.violations.map(({ oracle, atUs, event, message }) => {
      const law = `the law ${oracle} was broken at ${(atUs / 1_000_000).toFixed(3)} s`;
      return `${result.policy}, seed ${result.seed}: ${law}: ${message}${sayReplay(result, event)}`;
    }),
    ...judgeExpectations(plan, result).map(({ says }) => says),
  ]);
}

function summaryOf(
  { scenario }: Plan,
  results: readonly SimResult[],
  troubles: readonly string[],
  stopped: boolean,
): object {
  const { name, shows, cluster } = scenario;
  return {
    scenario: name,
    shows,
    nodes: cluster.nodes,
    league: league(scenario, results),
    runs: results,
    troubles,
    stopped,
  };
}
