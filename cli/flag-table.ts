import { Option } from 'commander';
import type { Command, CommanderError } from 'commander';
import * as v from 'valibot';
import { PeiliError } from '../core/index.ts';
import { parseCsvLine } from './go-values.ts';

/** One option of a command. */
export interface FlagRow {
  /** As commander reads it: a value `<v>`, a list `<v...>`, or a boolean `[boolean]`. */
  readonly flags: string;
  /** Spegel's name where the meaning is the same, else with our prefix: `STORE` or `ZONE` may stand in anybody's environment. */
  readonly env: string;
  readonly help: string;
  /** What holds when neither the flag nor the variable says anything; undefined: see `help`. */
  readonly fallback?: string;
  /** What to give, for an option that must be given. */
  readonly missing?: string;
}

/** The options of a command, by the name they have in code. */
export type FlagTable = Readonly<Record<string, FlagRow>>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Gives a command the options of a table. */
export function addFlags(command: Command, table: FlagTable): Command {
  for (const row of Object.values(table)) {
    const notes = [`env: ${row.env}`, ...(row.fallback === undefined ? [] : [`default: ${row.fallback}`])];
    command.addOption(new Option(row.flags, `${row.help} (${notes.join(', ')})`));
  }
  return command;
}

/** `--registry-addr`, as it is typed. */
export function flagName(row: FlagRow): string {
  return row.flags.replace(/ .*/, '');
}

/** The checked values: from what commander was given, and the environment for what that leaves out. Throws `OPTION_INVALID`: one sentence with flag, value and mend. */
export function readFlags<S extends v.GenericSchema>(
  table: FlagTable,
  schema: S,
  given: Readonly<Record<string, unknown>>,
  env: Environment,
): v.InferOutput<S> {
  const origins = new Map<string, string>();
  const raw = Object.fromEntries(
    Object.entries(table).map(([name, row]) => [name, rawValue(name, row, given, env, origins)]),
  );
  const parsed = v.safeParse(schema, raw, { abortEarly: true });
  if (!parsed.success) throw optionError(parsed.issues[0], table, origins);
  return parsed.output;
}

/** What a flag's value led to; a refusal names both. */
export async function named<T>(row: FlagRow, value: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof PeiliError)) throw error;
    throw new PeiliError(
      error.code,
      `${flagName(row)} ${JSON.stringify(value)}: ${error.message}`,
      error.details,
      error,
    );
  }
}

/** Commander's own complaints in the same form as ours. */
export function usageError(error: CommanderError): PeiliError {
  const [, what = error.message] = /^error: (.*)$/s.exec(error.message) ?? [];
  const sentence = what
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll('. ', ': ')
    .replace(/\.$/, '');
  return new PeiliError('OPTION_INVALID', `${sentence}; see --help`);
}

/** A value of text; what `parse` throws is what to do about it. */
export function textTo<T>(parse: (text: string) => T) {
  return v.pipe(
    v.string(),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        if (!(error instanceof PeiliError)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
  );
}

export const list = <T>(parse: (text: string) => T) => v.optional(v.array(textTo(parse)), []);

/** A flag wins over its variable. An empty one says nothing, as charts leave many of them. */
function rawValue(
  name: string,
  { flags, env: variable, fallback }: FlagRow,
  given: Readonly<Record<string, unknown>>,
  env: Environment,
  origins: Map<string, string>,
): unknown {
  const flagValue = given[name];
  if (flagValue !== undefined && flagValue !== '') return flagValue === true ? 'true' : flagValue;
  const text = env[variable];
  if (text === undefined || text === '') return fallback;
  origins.set(name, ` (from ${variable})`);
  if (!flags.includes('...')) return text;
  try {
    return parseCsvLine(text);
  } catch (error) {
    if (!(error instanceof PeiliError)) throw error;
    throw new PeiliError('OPTION_INVALID', `${variable} ${JSON.stringify(text)}: ${error.message}`, {}, error);
  }
}

function optionError(issue: v.BaseIssue<unknown>, table: FlagTable, origins: ReadonlyMap<string, string>): PeiliError {
  const name = String(issue.path?.[0]?.key);
  const row = Object.hasOwn(table, name) ? table[name] : undefined;
  const flag = row === undefined ? name : flagName(row);
  if (issue.input === undefined) {
    return new PeiliError('OPTION_INVALID', `${flag} is missing: ${row?.missing ?? 'give it'}`, { flag });
  }
  const value = JSON.stringify(issue.input);
  return new PeiliError('OPTION_INVALID', `${flag}${origins.get(name) ?? ''} ${value}: ${issue.message}`, {
    flag,
    value,
  });
}
