import { figureOf } from '../../sim/index.ts';
import type { Plan, SimResult } from '../../sim/index.ts';

const columns = [
  'policy',
  'runs',
  'makespan',
  'median pull',
  'slowest pull',
  'upstream copies',
  'requests',
  'failed',
] as const;

/** A line for each policy: medians over the runs, aligned. */
export function renderTable({ scenario, policies }: Plan, results: readonly SimResult[]): string {
  const rows = policies.flatMap((policy) => {
    const runs = results.filter((result) => result.policy === policy);
    return runs.length === 0 ? [] : [rowOf(policy, scenario, runs)];
  });
  if (rows.length === 0) return '';
  const widths = columns.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${[line(columns), ...rows.map(line)].join('\n')}\n`;
}

function rowOf(policy: string, scenario: Plan['scenario'], runs: readonly SimResult[]): readonly string[] {
  const over = (figure: (run: SimResult) => number): number => median(runs.map(figure));
  const failed = runs.reduce(
    (sum, run) => sum + figureOf('failed', scenario, run) + figureOf('pending', scenario, run),
    0,
  );
  const pulls = runs.reduce((sum, run) => sum + run.pulls.length, 0);
  return [
    policy,
    String(runs.length),
    seconds(over(({ makespanUs }) => makespanUs)),
    seconds(over((run) => median(run.pulls.map(({ tookUs }) => tookUs ?? scenario.untilUs)))),
    seconds(over((run) => figureOf('slowest', scenario, run))),
    over((run) => figureOf('upstreamCopies', scenario, run)).toFixed(2),
    over(({ upstreamRequests }) => upstreamRequests).toFixed(0),
    `${failed} of ${pulls}`,
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

function seconds(us: number): string {
  return us < 10_000_000 ? `${(us / 1_000_000).toFixed(2)} s` : `${(us / 1_000_000).toFixed(1)} s`;
}
