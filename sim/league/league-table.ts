import type { LeagueRow } from './league.ts';
import { shareBelow } from './statistics.ts';
import type { Estimate } from './statistics.ts';

/** One line of the table. */
interface Figure {
  readonly title: string;
  /** What it is. */
  readonly says: string;
  readonly cell: (row: LeagueRow) => string;
}

const figures: readonly Figure[] = [
  {
    title: 'makespan',
    says: "from the first pull's start to the last one's end (a pod's: until it is ready); median over seeds, as all figures",
    cell: ({ makespan }) => seconds(makespan.median),
  },
  {
    title: '/ one copy',
    says: 'of the time that one copy takes through the cable of a node; in brackets the band of 95 %',
    // A cable without a limit takes no time for it.
    cell: ({ makespanRatio }) => (Number.isFinite(makespanRatio.median) ? band(makespanRatio, 'x') : ''),
  },
  {
    title: '/ baseline',
    says: 'of the makespan of noMirror, or else of the first policy, on the same seed',
    cell: ({ against }) => (against === undefined ? '' : band(against.makespan, 'x')),
  },
  { title: 'median pull', says: 'half of the pulls were faster', cell: ({ pullUs }) => seconds(pullUs.p50) },
  { title: 'p90', says: 'nine of ten were; told from 30 pulls on', cell: ({ pullUs }) => seconds(pullUs.p90) },
  { title: 'p99', says: 'told from 300 pulls on', cell: ({ pullUs }) => seconds(pullUs.p99) },
  { title: 'slowest pull', says: 'of all seeds', cell: ({ pullUs }) => seconds(pullUs.slowest) },
  {
    title: 'slower pulls',
    says: 'by more than 1 % than the same pull without a mirror',
    cell: ({ regret }) => (regret === undefined ? '' : percent(regret.slowerShare)),
  },
  {
    title: 'lost at most',
    says: 'by the pull that lost most against the same pull without a mirror',
    cell: ({ regret }) => (regret === undefined ? '' : seconds(Math.max(0, regret.worstUs))),
  },
  {
    title: 'upstream copies',
    says: 'of the images that left the registry',
    cell: ({ upstreamCopies }) => band(upstreamCopies, ''),
  },
  { title: 'requests', says: 'to the registry', cell: ({ upstreamRequests }) => upstreamRequests.toFixed(0) },
  {
    title: 'manifest GETs',
    says: 'of these; some registries count them',
    cell: ({ upstreamManifestGets }) => upstreamManifestGets.toFixed(0),
  },
  {
    title: 'wait for a miss',
    says: 'what a request cost that the own mirror could not serve, mean',
    cell: ({ addedWaitUs }) => (addedWaitUs.longest === 0 ? '' : seconds(addedWaitUs.mean)),
  },
  {
    title: 'longest wait',
    says: 'for one of them',
    cell: ({ addedWaitUs }) => (addedWaitUs.longest === 0 ? '' : seconds(addedWaitUs.longest)),
  },
  {
    title: 'missed',
    says: 'requests not served though another node had had it for a second',
    cell: ({ addedWaitUs, missedShare }) => (addedWaitUs.longest === 0 ? '' : percent(missedShare)),
  },
  {
    title: 'across zones',
    says: 'of all bytes that nodes received',
    cell: ({ zoneCrossingShare }) => percent(zoneCrossingShare),
  },
  { title: 'wasted', says: 'of these: beyond one copy a node', cell: ({ wastedShare }) => percent(wastedShare) },
  {
    title: 'hot spot',
    says: 'the most that a node gave, of the mean',
    cell: ({ hotSpot }) => (hotSpot === 0 ? '' : `${hotSpot.toFixed(1)}x`),
  },
  {
    title: 'longest gap',
    says: 'in which a node that was pulling got no byte, of all seeds',
    cell: ({ longestGapUs }) => seconds(longestGapUs),
  },
  { title: 'failed', says: 'none in n pulls: below 3 / n, in nineteen of twenty cases', cell: failures },
];

export interface LeagueTable {
  readonly policies: readonly string[];
  /** With a cell for each policy. */
  readonly figures: readonly { readonly title: string; readonly says: string; readonly cells: readonly string[] }[];
}

/** `titles`: only these figures. Those of which nothing is known are left out. */
export function leagueTable(rows: readonly LeagueRow[], titles?: readonly string[]): LeagueTable {
  const wanted = titles === undefined ? figures : figures.filter(({ title }) => titles.includes(title));
  return {
    policies: rows.map(({ policy }) => policy),
    figures: wanted
      .map(({ cell, says, title }) => ({ title, says, cells: rows.map(cell) }))
      .filter(({ cells }) => cells.some((text) => text !== '')),
  };
}

/** Aligned text, a column for each policy, so that it fits a terminal. */
export function formatLeague(league: readonly LeagueRow[], only?: readonly string[]): string {
  const { figures: shown, policies } = leagueTable(league, only);
  const lines = [['policy', ...policies], ...shown.map(({ cells, title }) => [title, ...cells])];
  const widths = ['', ...policies].map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** What the figures are, a line each. */
export function explainLeague(league: readonly LeagueRow[]): string {
  const { figures: shown } = leagueTable(league);
  return shown.map(({ says, title }) => `${title}: ${says}\n`).join('');
}

function failures({ failed, pulls }: LeagueRow): string {
  if (failed > 0) return `${failed} of ${pulls}`;
  // A bound is rounded up: from 1 % on to whole ones, below to tenths.
  const share = shareBelow(pulls);
  const parts = share < 0.01 ? 1_000 : 100;
  return `0 (< ${(100 * Math.ceil(share * parts - 1e-9)) / parts} %)`;
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
  if (us === undefined) return '';
  return us > 0 && us < 100_000 ? `${digits(us / 1_000)} ms` : `${digits(us / 1_000_000)} s`;
}

function percent(share: number): string {
  if (share === 0) return '0 %';
  if (share > 0.99) return share >= 1 ? `${Math.round(100 * share)} %` : '> 99 %';
  return share < 0.001 ? '< 0.1 %' : `${(100 * share).toPrecision(share < 0.1 ? 1 : 2)} %`;
}
