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
  { title: 'pull p50', cell: ({ pullUs }) => seconds(pullUs.p50) },
  { title: 'p90', cell: ({ pullUs }) => seconds(pullUs.p90) },
  { title: 'p99', cell: ({ pullUs }) => seconds(pullUs.p99) },
  { title: 'slowest', cell: ({ pullUs }) => seconds(pullUs.slowest) },
  { title: 'upstream', cell: ({ upstreamCopies }) => band(upstreamCopies, '') },
  { title: 'requests', cell: ({ upstreamRequests }) => upstreamRequests.toFixed(0) },
  { title: 'slower', cell: ({ regret }) => (regret === undefined ? '' : percent(regret.slowerShare)) },
  { title: 'by', cell: ({ regret }) => (regret === undefined || regret.worstUs <= 0 ? '' : seconds(regret.worstUs)) },
  { title: 'zones', cell: ({ zoneCrossingShare }) => percent(zoneCrossingShare) },
  { title: 'wasted', cell: ({ wastedShare }) => percent(wastedShare) },
  { title: 'hot spot', cell: ({ hotSpot }) => (hotSpot === 0 ? '' : `${hotSpot.toFixed(1)}x`) },
  { title: 'gap', cell: ({ longestGapUs }) => seconds(longestGapUs) },
  { title: 'failed', cell: failures },
];

/** What the titles mean. */
export const leagueLegend = `makespan: from the first pull's start to the last one's end, median over seeds; / ideal: of the time that one copy takes through a node's cable, with its band
upstream: copies of the images that left the registry; slower: pulls that took longer than the same pull without a mirror, and the most that one lost
zones, wasted: bytes across zones, and received in vain, of all that was wanted; hot spot: the most that a node gave, of the mean; gap: the longest time without a byte`;

/** Titles, and the cells of each row; columns without anything are left out. */
export interface LeagueCells {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function leagueCells(rows: readonly LeagueRow[]): LeagueCells {
  const used = columns.filter(({ cell }) => rows.some((row) => cell(row) !== ''));
  return { columns: used.map(({ title }) => title), rows: rows.map((row) => used.map(({ cell }) => cell(row))) };
}

/** The rows as aligned text. */
export function formatLeague(league: readonly LeagueRow[]): string {
  const { columns: titles, rows } = leagueCells(league);
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

function percent(share: number): string {
  if (share === 0) return '0 %';
  return share < 0.001 ? '< 0.1 %' : `${(100 * share).toPrecision(share < 0.1 ? 1 : 2)} %`;
}
