import { deflateSync, inflateSync } from 'node:zlib';
import type { PolicyName } from '../policies/named.ts';
import { checkScenario } from '../scenario/check-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { applyChanges, changesBetween } from './changes.ts';
import { decodeJson, encodeJson } from './plain-json.ts';

/** A run, to be done again: the same on any machine. */
export interface Replay {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly policy: PolicyName;
  /** The event at which something went wrong: the run stops after it. @default it does not */
  readonly event?: number;
}

/** Scenarios that both sides know by name. */
export type NamedScenarios = (name: string) => Scenario | undefined;

/**
 * One line for a run, that a shell takes as it is: `peili-sim:1:<scenario>:<seed>:<policy>[:<event>]`. The scenario is its name with what differs from the one
 * of that name (`cold-start+cluster.nodes=20`), or, where that would be longer, all of it, compressed (`~eJx...`).
 */
export function formatReplay({ scenario, seed, policy, event }: Replay, named: NamedScenarios = nobody): string {
  const parts = [`${prefix}${version}`, formatScenario(scenario, named), String(seed), policy];
  return [...parts, ...(event === undefined ? [] : [String(event)])].join(':');
}

/** Throws an error whose message says what is wrong with the text, and what is expected. */
export function parseReplay(text: string, named: NamedScenarios = nobody): Replay {
  const trimmed = text.trim();
  if (!trimmed.startsWith(prefix))
    throw new ReplayError(`a replay begins with "${prefix}${version}:", and this with "${trimmed.slice(0, 24)}"`);
  const [, found = '', scenarioText, seedText, policy, eventText, ...rest] = trimmed.split(':');
  if (found !== version)
    throw new ReplayError(`this replay is of version "${found}", and this program reads version ${version}`);
  if (scenarioText === undefined || seedText === undefined || policy === undefined || rest.length > 0)
    throw new ReplayError(
      `a replay is ${prefix}${version}:<scenario>:<seed>:<policy>[:<event>], and this one has ${trimmed.split(':').length - 2} of these parts: it is cut, or more was copied`,
    );
  const scenario = checked(parseScenario(scenarioText, named));
  const seed = parseNumber('seed', seedText);
  if (!/^[A-Za-z][A-Za-z0-9.-]*$/.test(policy)) throw new ReplayError(`"${policy}" is no policy's name`);
  const replay = { scenario, seed, policy: policy as PolicyName };
  return eventText === undefined ? replay : { ...replay, event: parseNumber('event', eventText) };
}

/** What is wrong with a replay's text. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
}

const prefix = 'peili-sim:';
const version = '1';
const nobody: NamedScenarios = () => undefined;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9-]*$/;
/** What a scenario may be when it is no longer compressed. */
const scenarioBytesMax = 256 * 1024 * 1024;

function formatScenario(scenario: Scenario, named: NamedScenarios): string {
  const whole = `~${toBase64Url(deflateSync(new TextEncoder().encode(encodeJson(scenario)), { level: 9 }))}`;
  const base = namePattern.test(scenario.name) ? named(scenario.name) : undefined;
  const changes = base === undefined ? undefined : changesBetween(base, scenario);
  if (changes === undefined) return whole;
  const short = [scenario.name, ...changes].join('+');
  return short.length <= whole.length ? short : whole;
}

function parseScenario(text: string, named: NamedScenarios): unknown {
  if (text.startsWith('~')) return readWhole(text.slice(1));
  const [name = '', ...changes] = text.split('+');
  const base = named(name);
  if (base === undefined) throw new ReplayError(`there is no scenario "${name}" here`);
  const changed = applyChanges(base, changes);
  if ('failure' in changed) throw new ReplayError(`${changed.failure} (scenario "${name}")`);
  return changed.value;
}

function readWhole(text: string): unknown {
  try {
    const bytes = inflateSync(fromBase64Url(text), { maxOutputLength: scenarioBytesMax });
    return decodeJson(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ReplayError('the scenario of this replay cannot be read: the line is cut or was changed', { cause });
  }
}

function checked(value: unknown): Scenario {
  const problem = checkScenario(value);
  if (problem !== undefined) throw new ReplayError(`the scenario of this replay is wrong: ${problem}`);
  return value as Scenario;
}

function parseNumber(what: string, text: string): number {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new ReplayError(`the ${what} of a replay is a whole number, not "${text}"`);
  return number;
}

function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function fromBase64Url(text: string): Uint8Array {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
