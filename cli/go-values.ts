import { PeiliError } from '../core/index.ts';

/**
 * Values as Go programs write them, so that a chart's values for Spegel mean the same here. All throw `OPTION_INVALID` with the mend as message:
 * whoever knows the flag puts its name before it.
 */

const unitsUs: Readonly<Record<string, number>> = {
  ns: 0.001,
  us: 1,
  µs: 1,
  μs: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
};
const durationPart = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
const durationPattern = new RegExp(`^(?:${durationPart.source})+$`);

/** `20ms`, `1m30s`, `1.5h`, `0` (Go's time.ParseDuration, without a sign): whole microseconds. */
export function parseDurationUs(text: string): number {
  if (text === '0') return 0;
  if (!durationPattern.test(text)) throw invalid('give a duration with units, such as 20ms, 1.5s or 1m30s');
  const parts = [...text.matchAll(durationPart)];
  const totalUs = parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitsUs[unit] ?? 0), 0);
  const wholeUs = Math.round(totalUs);
  if (!Number.isSafeInteger(wholeUs)) throw invalid('give a duration below 280 years');
  return wholeUs;
}

/** Go's strconv.ParseBool. */
export function parseBoolean(text: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw invalid('give true or false');
}

export function parseInteger(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw invalid(`give a whole number from ${min} to ${max}`);
  };
}

/** One line of CSV (RFC 4180), which is how a list stands in an environment variable: a value with a comma is put in quotes. */
export function parseCsvLine(text: string): string[] {
  const values: string[] = [];
  let rest = text;
  for (;;) {
    const match = /^(?:"(?<quoted>(?:[^"]|"")*)"|(?<plain>[^",]*))(?<comma>,|$)/.exec(rest);
    if (match?.groups === undefined)
      throw invalid('give values separated by commas, one with a comma or a quote in "double quotes"');
    const { quoted, plain = '', comma } = match.groups;
    values.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (comma === '') return values.filter((value) => value !== '');
    rest = rest.slice(match[0].length);
  }
}

function invalid(mend: string): PeiliError {
  return new PeiliError('OPTION_INVALID', mend);
}
