import type { SimResult } from '../run/simulate.ts';
import { imageBytesOf } from '../scenario/judge-expectations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { estimate, median, quantile } from './statistics.ts';
import type { Estimate } from './statistics.ts';

/** What a policy came to over all seeds. Times are microseconds. */
export interface LeagueRow {
  readonly policy: string;
  readonly seeds: number;
  /** Pulls and pods that were looked at. */
  readonly pulls: number;
  readonly failed: number;
  readonly makespan: Estimate;
  /** Makespan over the time that one image takes through a node's cable. */
  readonly makespanRatio: Estimate;
  /** Makespan over that of the policy which it is compared with on the same seed; undefined: it is that policy. */
  readonly against: Against | undefined;
  /** From the start of a pull to its end, of a pod until it is ready; a quantile where the sample carries it. */
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
  /** What a request cost that a mirror could not serve. */
  readonly addedWaitUs: { readonly mean: number; readonly longest: number };
  /** Of the requests to mirrors: not served though another node had had it for a second. */
  readonly missedShare: number;
  /** Of all bytes that nodes received. */
  readonly upstreamShare: number;
  readonly sameZoneShare: number;
  readonly zoneCrossingShare: number;
  /** Beyond one copy of what a node has pulled. */
  readonly wastedShare: number;
  readonly hotSpot: number;
  readonly longestGapUs: number;
}

export interface Against {
  readonly policy: string;
  readonly makespan: Estimate;
}

/** Pulls that took longer than the same pull of the same seed without a mirror, by so much that it is noticed. */
export interface Regret {
  readonly slowerShare: number;
  /** By how much the one that lost most was slower, microseconds. */
  readonly worstUs: number;
}

/** Slower by less is as fast: nobody sees that of a rollout. */
const noticeableShare = 0.01;
const noticeableUs = 1_000;

/** A row for each policy, in the order in which they come. All are compared with runs without a mirror, or else with the first. */
export function league(scenario: Scenario, results: readonly SimResult[]): readonly LeagueRow[] {
  const byPolicy = Map.groupBy(results, ({ policy }) => policy);
  const base = byPolicy.get('noMirror') ?? byPolicy.values().next().value ?? [];
  return [...byPolicy].map(([policy, runs]) => rowOf(policy, scenario, runs, base));
}

/** One thing that was waited for. */
interface Waited {
  readonly tookUs: number | undefined;
  readonly isOk: boolean;
}

function waitedOf({ pods, pulls }: SimResult): readonly Waited[] {
  return [
    ...pulls.map(({ outcome, tookUs }) => ({ tookUs, isOk: outcome === 'ok' })),
    ...pods.map(({ readyUs }) => ({ tookUs: readyUs, isOk: readyUs !== undefined })),
  ];
}

function rowOf(policy: string, scenario: Scenario, runs: readonly SimResult[], base: readonly SimResult[]): LeagueRow {
  const oneCopy = imageBytesOf(scenario);
  const idealUs = (oneCopy / scenario.cluster.downBytesPerSecond) * 1_000_000;
  const waited = runs.flatMap(waitedOf);
  const times = waited.flatMap(({ isOk, tookUs }) => (isOk && tookUs !== undefined ? [tookUs] : []));
  const over = (figure: (run: SimResult) => number): number => median(runs.map(figure));
  const share = (figure: (run: SimResult) => number): number =>
    over((run) => (run.traffic.receivedBytes === 0 ? 0 : figure(run) / run.traffic.receivedBytes));
  return {
    policy,
    seeds: runs.length,
    pulls: waited.length,
    failed: waited.length - times.length,
    makespan: estimate(runs.map(({ makespanUs }) => makespanUs)),
    makespanRatio: estimate(runs.map(({ makespanUs }) => makespanUs / idealUs)),
    against: againstOf(policy, runs, base),
    pullUs: {
      p50: quantile(times, 0.5),
      p90: quantile(times, 0.9),
      p99: quantile(times, 0.99),
      slowest: times.reduce((most, time) => Math.max(most, time), 0),
    },
    upstreamCopies: estimate(runs.map(({ upstreamBytes }) => upstreamBytes / oneCopy)),
    upstreamRequests: over(({ upstreamRequests }) => upstreamRequests),
    upstreamManifestGets: over(({ traffic }) => traffic.upstreamManifestGets),
    regret: policy === 'noMirror' ? undefined : regretOf(runs, base),
    addedWaitUs: {
      mean: over(({ traffic: { asked } }) => asked.addedWaitUs / Math.max(1, asked.misses)),
      longest: runs.reduce((most, { traffic }) => Math.max(most, traffic.asked.longestAddedWaitUs), 0),
    },
    missedShare: over(({ traffic: { asked } }) => asked.missedThoughHeld / Math.max(1, asked.requests)),
    upstreamShare: share(({ traffic }) => traffic.upstreamBytes),
    sameZoneShare: share(({ traffic }) => traffic.sameZoneBytes),
    zoneCrossingShare: share(({ traffic }) => traffic.zoneCrossingBytes),
    wastedShare: share(({ traffic }) => traffic.wastedBytes),
    hotSpot: over(({ traffic }) => traffic.hotSpot),
    longestGapUs: runs.reduce((most, { traffic }) => Math.max(most, traffic.longestGapUs), 0),
  };
}

function againstOf(policy: string, runs: readonly SimResult[], base: readonly SimResult[]): Against | undefined {
  const [first] = base;
  if (first === undefined || first.policy === policy) return undefined;
  const bySeed = new Map(base.map((run) => [run.seed, run]));
  const ratios = runs.flatMap(({ makespanUs, seed }) => {
    const other = bySeed.get(seed);
    return other === undefined || other.makespanUs === 0 ? [] : [makespanUs / other.makespanUs];
  });
  return ratios.length === 0 ? undefined : { policy: first.policy, makespan: estimate(ratios) };
}

function regretOf(runs: readonly SimResult[], base: readonly SimResult[]): Regret | undefined {
  if (base[0]?.policy !== 'noMirror') return undefined;
  const without = new Map(base.map((run) => [run.seed, waitedOf(run)]));
  const pairs = runs.flatMap((run) =>
    waitedOf(run).flatMap(({ isOk, tookUs }, index) => {
      const other = without.get(run.seed)?.[index];
      if (other?.tookUs === undefined || tookUs === undefined || !isOk) return [];
      return [{ lostUs: tookUs - other.tookUs, otherUs: other.tookUs }];
    }),
  );
  if (pairs.length === 0) return undefined;
  const isNoticed = ({ lostUs, otherUs }: (typeof pairs)[number]): boolean =>
    lostUs > Math.max(noticeableUs, noticeableShare * otherUs);
  return {
    slowerShare: pairs.filter(isNoticed).length / pairs.length,
    worstUs: pairs.reduce((most, { lostUs }) => Math.max(most, lostUs), 0),
  };
}
