import { formatReplay, missingIn } from '../../sim/index.ts';
import type { HuntInThreadsResult, HuntProgress, KeptFind, ProbeReport, SavedCase } from '../../sim/index.ts';
import { many } from './words.ts';

/**
 * A hunt of so many seeds has to have come across everything that it is meant to: some minutes of a core. What is seen once in two thousand seeds is then missed
 * once in a hundred and fifty hunts.
 */
export const longHuntSeeds = 10_000;

/** What a hunt may not be silent about. */
export interface Omissions {
  /** Declared as never to be seen, and seen. */
  readonly unreachable: readonly ProbeReport[];
  /** Rare, and not seen in a hunt that was long enough. */
  readonly missed: readonly ProbeReport[];
  /** Not seen yet: nothing is wrong. */
  readonly unseen: readonly ProbeReport[];
}

export function omissionsOf({ probes, tried }: Pick<HuntInThreadsResult, 'probes' | 'tried'>): Omissions {
  const missing = missingIn(probes);
  const rare = missing.filter(({ kind }) => kind === 'sometimes');
  const isLong = tried >= longHuntSeeds;
  return {
    unreachable: missing.filter(({ kind }) => kind === 'unreachable'),
    missed: isLong ? rare : [],
    unseen: isLong ? [] : rare,
  };
}

/** As `sim/cases/` has them. */
export function caseOf({ scenario, seed, violation }: KeptFind): SavedCase {
  return { was: firstLine(violation.message), oracle: violation.oracle, seed, scenario };
}

export function replayOf({ scenario, seed, violation: { event } }: KeptFind): string {
  return formatReplay({ scenario, seed, policy: 'peili', ...(event === 0 ? {} : { event }) });
}

export function sayFind(find: KeptFind): string {
  const { isSmall, scenario, seed, violation } = find;
  const { asks = [], cluster, faults, pods = [], workload } = scenario;
  const parts = [
    many(cluster.nodes, 'node'),
    many(workload.length, 'pull'),
    ...(pods.length === 0 ? [] : [many(pods.length, 'pod')]),
    ...(asks.length === 0 ? [] : [many(asks.length, 'ask')]),
    many(faults.length, 'fault'),
  ];
  const size = `${parts.join(', ')}${isSmall ? '' : ' (as it was drawn, not made small)'}`;
  return `✘ the law ${violation.oracle} was broken, seed ${seed}: ${firstLine(violation.message)}\n  ${size}\n  peili sim replay '${replayOf(find)}'\n`;
}

export function sayProgress({ failing, small, tried }: HuntProgress, seconds: number, budgetSeconds: number): string {
  const broke = failing === 0 ? '' : ` · ${failing} broke a law`;
  if (small !== undefined) return `${count(tried)} seeds${broke} · making them small: ${small.done} of ${small.of}`;
  return `${count(tried)} seeds in ${Math.floor(seconds)} s of ${Math.ceil(budgetSeconds)}${broke}`;
}

/** The end of a hunt: what was tried, what broke how often, what was never seen. */
export function saySummary(result: HuntInThreadsResult, seconds: number, isStopped: boolean): string {
  const { checked, events, failing, failingBy, probes, tried } = result;
  const { missed, unreachable, unseen } = omissionsOf(result);
  const laws = Object.entries(failingBy).map(([law, seeds]) => `${law} ${count(seeds)}`);
  const verdict = failing === 0 ? 'no law was broken' : `${count(failing)} broke a law (${laws.join(', ')})`;
  const stopped = isStopped ? 'Stopped: ' : '';
  const rare = probes.filter(({ kind }) => kind === 'sometimes').length;
  return [
    `${stopped}${many(tried, 'seed')}, ${count(checked)} of them run twice, ${many(events, 'event')} in ${seconds.toFixed(1)} s: ${verdict}`,
    ...unreachable.map(
      ({ name, runs, why }) => `✘ ${name}: seen in ${many(runs, 'run')}, and never to be seen: ${why}`,
    ),
    ...missed.map(({ name, why }) => `✘ ${name}: never seen in ${count(tried)} seeds: ${why}`),
    ...(unseen.length === 0
      ? []
      : [
          `${unseen.length} of ${rare} rare cases not seen yet (a hunt of ${count(longHuntSeeds)} seeds has to see them all)`,
        ]),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

/** A stack stands below. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function count(amount: number): string {
  return amount.toLocaleString('en');
}
