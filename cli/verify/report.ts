import { wrapWords } from '../wrap-words.ts';
import { styleText } from 'node:util';
import type { Check, CheckStatus } from './check.ts';

export interface ReportOptions {
  /** Characters of a line; longer text goes on below its own beginning. */
  readonly width: number;
  readonly colours: boolean;
}

const symbols: Readonly<Record<CheckStatus, string>> = { ok: '✔', wrong: '✘', unknown: '?', skipped: '–' };
const styles = { ok: 'green', wrong: 'red', unknown: 'yellow', skipped: 'gray' } as const;
const nameWidth = 'config-path'.length;
/** A symbol, a space, the name, two spaces. */
const indentWidth = 2 + nameWidth + 2;

/** For people: a symbol and a sentence for each check, what to do below it, and one line in the end. */
export function renderReport(checks: readonly Check[], options: ReportOptions): string {
  return [...checks.flatMap((check) => renderCheck(check, options)), '', summary(checks, options), ''].join('\n');
}

/** For programs: one object. */
export function renderJson(checks: readonly Check[]): string {
  return `${JSON.stringify({ ok: isWell(checks), checks })}\n`;
}

export function isWell(checks: readonly Check[]): boolean {
  return checks.every(({ status }) => status !== 'wrong');
}

function renderCheck({ name, status, seen, mend, lines = [] }: Check, { width, colours }: ReportOptions): string[] {
  const paint = (text: string, style: Parameters<typeof styleText>[0]): string =>
    colours ? styleText(style, text, { validateStream: false }) : text;
  const room = Math.max(30, width - indentWidth);
  const indent = ' '.repeat(indentWidth);
  const [first = '', ...rest] = wrapWords(seen, room);
  const shade = status === 'skipped' ? (text: string): string => paint(text, 'gray') : (text: string): string => text;
  return [
    `${paint(symbols[status], styles[status])} ${paint(name.padEnd(nameWidth), status === 'skipped' ? 'gray' : 'bold')}  ${shade(first)}`,
    ...rest.map((text) => `${indent}${shade(text)}`),
    // A table's lines stay whole.
    ...lines.map((text) => `${indent}${paint(text, 'gray')}`),
    ...(mend === undefined
      ? []
      : wrapWords(`-> ${mend}`, room, '   ').map((text) => `${indent}${paint(text, 'cyan')}`)),
  ];
}

function summary(checks: readonly Check[], { colours }: ReportOptions): string {
  const paint = (text: string, style: 'green' | 'red'): string =>
    colours ? styleText(style, text, { validateStream: false }) : text;
  const count = (status: CheckStatus): number => checks.filter((check) => check.status === status).length;
  const well = `${count('ok')} ${count('ok') === 1 ? 'check is' : 'checks are'}`;
  const unseen = count('unknown') === 0 ? '' : `, ${count('unknown')} could not be seen`;
  if (isWell(checks)) return paint(`Nothing is wrong: ${well} well${unseen}.`, 'green');
  const wrong = checks.filter(({ status }) => status === 'wrong').map(({ name }) => name);
  return paint(`Wrong: ${wrong.join(', ')}; ${well} well${unseen}.`, 'red');
}
