import type { LeagueRow } from './league.ts';
import { shareBelow } from './statistics.ts';
import type { Estimate } from './statistics.ts';

interface Column {
  readonly title: string;
  readonly cell: (row: LeagueRow) => string;
}

const columns: readonly Column[] = [
  { title: 'policy', cell: ({ policy }) => policy },
  { title: 'makespan', cell: ({ makespan }) => seconds(makespan.median) },
  { title: '/ ideal', cell: ({ makespanRatio }) => band(makespanRatio, 'x') },
  { title: '/ base', cell: ({ against }) => (against === undefined ? '' : band(against.makespan, 'x')) },
  { title: 'p50', cell: ({ pullUs }) => seconds(pullUs.p50) },
  { title: 'p90', cell: ({ pullUs }) => seconds(pullUs.p90) },
  { title: 'p99', cell: ({ pullUs }) => seconds(pullUs.p99) },
  { title: 'slowest', cell: ({ pullUs }) => seconds(pullUs.slowest) },
  { title: 'upstream', cell: ({ upstreamCopies }) => band(upstreamCopies, '') },
  { title: 'requests', cell: ({ upstreamRequests }) => upstreamRequests.toFixed(0) },
  { title: 'slower', cell: ({ regret }) => (regret === undefined ? '' : percent(regret.slowerShare)) },
  { title: 'by', cell: ({ regret }) => (regret === undefined || regret.worstUs <= 0 ? '' : seconds(regret.worstUs)) },
  { title: 'GETs', cell: ({ upstreamManifestGets }) => upstreamManifestGets.toFixed(0) },
  { title: 'wait', cell: ({ addedWaitUs }) => (addedWaitUs.longest === 0 ? '' : milliseconds(addedWaitUs.mean)) },
  { title: 'longest', cell: ({ addedWaitUs }) => (addedWaitUs.longest === 0 ? '' : seconds(addedWaitUs.longest)) },
  { title: 'missed', cell: ({ addedWaitUs, missedShare }) => (addedWaitUs.longest === 0 ? '' : percent(missedShare)) },
  { title: 'zones', cell: ({ zoneCrossingShare }) => percent(zoneCrossingShare) },
  { title: 'wasted', cell: ({ wastedShare }) => percent(wastedShare) },
  { title: 'hot spot', cell: ({ hotSpot }) => (hotSpot === 0 ? '' : `${hotSpot.toFixed(1)}x`) },
  { title: 'gap', cell: ({ longestGapUs }) => seconds(longestGapUs) },
  { title: 'failed', cell: failures },
];

/** What the titles mean. */
export const leagueLegend = `makespan: from the first pull's start to the last one's end (a pod's: until it is ready), median over seeds; / ideal: of the time that one copy takes through a node's cable; / base: of the makespan of noMirror, or else of the first policy, on the same seed; with bands of 95 %
upstream: copies of the images that left the registry; requests, GETs: to the registry, and of manifests, which some count; slower: pulls that took longer than the same pull without a mirror, and the most that one lost
wait: what a request cost that a mirror could not serve, the mean and the longest; missed: requests not served though another node had had it for a second
zones, wasted: bytes across zones, and beyond one copy a node, of all that nodes received; hot spot: the most that a node gave, of the mean; gap: the longest time without a byte
a quantile is given where three values lie beyond it (p90 from 30, p99 from 300); no failure in n means below 3 / n`;

/** Titles, and the cells of each row; columns without anything are left out. */
export interface LeagueCells {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** `titles`: only these columns. */
export function leagueCells(rows: readonly LeagueRow[], titles?: readonly string[]): LeagueCells {
  const wanted = titles === undefined ? columns : columns.filter(({ title }) => titles.includes(title));
  const used = wanted.filter(({ cell }) => rows.some((row) => cell(row) !== ''));
  return { columns: used.map(({ title }) => title), rows: rows.map((row) => used.map(({ cell }) => cell(row))) };
}

/** The rows as aligned text. */
export function formatLeague(league: readonly LeagueRow[], only?: readonly string[]): string {
  const { columns: titles, rows } = leagueCells(league, only);
  const widths = titles.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const lines = [titles, ...rows].map((line) =>
    line
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function failures({ failed, pulls }: LeagueRow): string {
  return failed === 0 ? `0 (< ${percent(shareBelow(pulls))})` : `${failed} of ${pulls}`;
}

/** Three digits and no more: a median of some seeds does not carry a fourth. */
function digits(value: number): string {
  if (value === 0) return '0';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(value < 0.01 ? 1 : 3);
}

function band({ high, low, median }: Estimate, unit: string): string {
  const [at, from, to] = [median, low, high].map((value) => digits(value ?? 0));
  return from === to ? `${at}${unit}` : `${at}${unit} (${from}-${to})`;
}

function seconds(us: number | undefined): string {
  return us === undefined ? '' : `${digits(us / 1_000_000)} s`;
}

function milliseconds(us: number): string {
  return `${digits(us / 1_000)} ms`;
}

function percent(share: number): string {
  if (share === 0) return '0 %';
  if (share > 0.99) return share >= 1 ? `${Math.round(100 * share)} %` : '> 99 %';
  return share < 0.001 ? '< 0.1 %' : `${(100 * share).toPrecision(share < 0.1 ? 1 : 2)} %`;
}
