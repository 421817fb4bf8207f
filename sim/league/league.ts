import type { SimResult } from '../run/simulate.ts';
import { imageBytesOf } from '../scenario/judge-expectations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { estimate, median, quantile } from './statistics.ts';
import type { Estimate } from './statistics.ts';

/** What a policy came to over all seeds. Times are microseconds. */
export interface LeagueRow {
  readonly policy: string;
  readonly seeds: number;
  readonly pulls: number;
  readonly failed: number;
  readonly makespan: Estimate;
  /** Makespan over the time that one image takes through a node's cable. */
  readonly makespanRatio: Estimate;
  readonly pullUs: {
    readonly p50: number | undefined;
    readonly p90: number | undefined;
    readonly p99: number | undefined;
    readonly slowest: number;
  };
  readonly upstreamCopies: Estimate;
  readonly upstreamRequests: number;
  readonly upstreamManifestGets: number;
  /** Undefined: there were no runs without a mirror on the same seeds. */
  readonly regret: Regret | undefined;
  /** Of the bytes that all nodes together wanted. */
  readonly zoneCrossingShare: number;
  /** Received beyond what was wanted, of it. */
  readonly wastedShare: number;
  readonly hotSpot: number;
  readonly longestGapUs: number;
}

/** Pulls that took longer than the same pull of the same seed without a mirror. */
export interface Regret {
  readonly slowerShare: number;
  /** By how much the one that lost most was slower, microseconds. */
  readonly worstUs: number;
}

/** Slower by less is as fast: what a request through one more program takes. */
const noticeableUs = 1_000;

/** A row for each policy, in the order in which they come. */
export function league(scenario: Scenario, results: readonly SimResult[]): readonly LeagueRow[] {
  const byPolicy = Map.groupBy(results, ({ policy }) => policy);
  const without = new Map((byPolicy.get('noMirror') ?? []).map((result) => [result.seed, result]));
  return [...byPolicy].map(([policy, runs]) => rowOf(policy, scenario, runs, without));
}

function rowOf(
  policy: string,
  scenario: Scenario,
  runs: readonly SimResult[],
  without: ReadonlyMap<number, SimResult>,
): LeagueRow {
  const { downBytesPerSecond } = scenario.cluster;
  const oneCopy = imageBytesOf(scenario);
  const wanted = oneCopy * new Set(scenario.workload.map(({ node }) => node)).size;
  const pulls = runs.flatMap((run) => run.pulls);
  const times = pulls.flatMap(({ outcome, tookUs }) => (outcome === 'ok' && tookUs !== undefined ? [tookUs] : []));
  const over = (figure: (run: SimResult) => number): number => median(runs.map(figure));
  const idealUs = (oneCopy / downBytesPerSecond) * 1_000_000;
  return {
    policy,
    seeds: runs.length,
    pulls: pulls.length,
    failed: pulls.length - times.length,
    makespan: estimate(runs.map(({ makespanUs }) => makespanUs)),
    makespanRatio: estimate(runs.map(({ makespanUs }) => makespanUs / idealUs)),
    pullUs: {
      p50: quantile(times, 0.5),
      p90: quantile(times, 0.9),
      p99: quantile(times, 0.99),
      slowest: times.reduce((most, time) => Math.max(most, time), 0),
    },
    upstreamCopies: estimate(runs.map(({ upstreamBytes }) => upstreamBytes / oneCopy)),
    upstreamRequests: over(({ upstreamRequests }) => upstreamRequests),
    upstreamManifestGets: over(({ traffic }) => traffic.upstreamManifestGets),
    regret: policy === 'noMirror' ? undefined : regretOf(runs, without),
    zoneCrossingShare: over(({ traffic }) => traffic.zoneCrossingBytes / wanted),
    wastedShare: over(({ traffic }) => Math.max(0, traffic.receivedBytes / wanted - 1)),
    hotSpot: over(({ traffic }) => traffic.hotSpot),
    longestGapUs: runs.reduce((most, { traffic }) => Math.max(most, traffic.longestGapUs), 0),
  };
}

function regretOf(runs: readonly SimResult[], without: ReadonlyMap<number, SimResult>): Regret | undefined {
  const slowerUs = runs.flatMap((run) =>
    run.pulls.flatMap(({ outcome, tookUs }, index) => {
      const other = without.get(run.seed)?.pulls[index];
      if (other?.tookUs === undefined || tookUs === undefined || outcome !== 'ok') return [];
      return [tookUs - other.tookUs];
    }),
  );
  if (slowerUs.length === 0) return undefined;
  return {
    slowerShare: slowerUs.filter((us) => us > noticeableUs).length / slowerUs.length,
    worstUs: slowerUs.reduce((most, us) => Math.max(most, us), 0),
  };
}
