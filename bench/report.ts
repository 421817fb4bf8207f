import { isMet, oursName } from './measurement.ts';
import type { Line, Mark, Unit } from './measurement.ts';
import type { Summary } from './statistics.ts';

const header = ['row', 'what', 'ours', 'others', 'ratio', 'mark', 'met'];

/** The lines as one Markdown table, notes beneath: it can be pasted into a page as it is. */
export function formatTable(lines: readonly Line[]): string {
  const cells = [header, ...lines.map(cellsOf)];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const format = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const [first = [], ...rest] = cells;
  const notes = [...new Set(lines.flatMap(({ row, notes: said }) => said.map((note) => `- ${row}: ${note}`)))];
  return [format(first), rule, ...rest.map(format), ...(notes.length === 0 ? [] : ['', ...notes])].join('\n');
}

function cellsOf(line: Line): string[] {
  const { mark, ratio, row, subjects, unit, what } = line;
  const ours = subjects.find(({ name }) => name === oursName);
  const others = subjects.filter(({ name }) => name !== oursName);
  const met = isMet(line);
  return [
    row,
    what,
    ours === undefined ? 'not measured' : formatSummary(ours.summary, unit),
    others.map(({ name, summary }) => `${name} ${formatSummary(summary, unit)}`).join('; '),
    ratio === undefined ? '' : `${formatSummary(ratio.summary, 'x')} of ${ratio.against}`,
    mark === undefined ? '' : formatMark(mark, unit),
    met === undefined ? '' : met ? 'yes' : 'NO',
  ];
}

/** `1.52 (1.31-1.60) GB/s`: the median, and the extremes where there are any. */
export function formatSummary({ count, max, median, min }: Summary, unit: Unit): string {
  const spread = count > 1 ? ` (${formatNumber(min)}-${formatNumber(max)})` : '';
  return `${formatNumber(median)}${spread}${unit === 'x' ? '' : ` ${unit}`}`;
}

/** Three digits that mean something. */
export function formatNumber(value: number): string {
  if (value === 0 || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return Number(value.toPrecision(Math.abs(value) < 0.1 ? 2 : 3)).toString();
}

function formatMark({ atLeast, atMost, of, remark }: Mark, unit: Unit): string {
  const shown = of === 'ratio' ? 'x' : unit;
  const suffix = shown === 'x' ? '' : ` ${shown}`;
  const bound = atLeast === undefined ? `<= ${formatNumber(atMost ?? 0)}` : `>= ${formatNumber(atLeast)}`;
  return `${bound}${suffix}${remark === undefined ? '' : `, ${remark}`}`;
}
