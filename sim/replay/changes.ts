import type { Scenario } from '../scenario/scenario.ts';
import { decodeJson, encodeJson } from './plain-json.ts';

/** What differs in single values, as `path=value`; undefined where more than that does. */
export function changesBetween(base: Scenario, scenario: Scenario): readonly string[] | undefined {
  const changes: string[] = [];
  const compare = (from: unknown, to: unknown, path: string): boolean => {
    if (isSame(from, to)) return true;
    if (!isObject(from) || !isObject(to)) {
      if (isObject(from) || isObject(to) || from === undefined || to === undefined) return false;
      changes.push(`${path}=${escapeText(encodeJson(to))}`);
      return true;
    }
    const names = Object.keys(from);
    const others = Object.keys(to);
    if (Array.isArray(from) !== Array.isArray(to) || names.length !== others.length) return false;
    return names.every((name) => {
      if (!pathPart.test(name) || !Object.hasOwn(to, name)) return false;
      return compare(from[name], to[name], path === '' ? name : `${path}.${name}`);
    });
  };
  return compare(base, scenario, '') ? changes : undefined;
}

/** The scenario with its changes, or what is wrong with them. */
export function applyChanges(
  base: Scenario,
  changes: readonly string[],
): { readonly value: Scenario } | { readonly failure: string } {
  const value = structuredClone(base);
  for (const change of changes) {
    const at = change.indexOf('=');
    if (at <= 0) return { failure: `a change is path=value, not "${change}"` };
    const path = change.slice(0, at);
    const failure = set(value, path, change.slice(at + 1));
    if (failure !== undefined) return { failure };
  }
  return { value };
}

function set(value: unknown, path: string, text: string): string | undefined {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let place = value;
  for (const name of names) place = isObject(place) && Object.hasOwn(place, name) ? place[name] : undefined;
  if (!isObject(place) || !Object.hasOwn(place, last)) return `there is no value at "${path}"`;
  try {
    place[last] = decodeJson(decodeURIComponent(text));
    return undefined;
  } catch {
    return `the value at "${path}" cannot be read: "${text}"`;
  }
}

const pathPart = /^[A-Za-z0-9_-]+$/;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isSame(from: unknown, to: unknown): boolean {
  return Object.is(from, to);
}

/** No character that ends a part of a replay or that a shell looks at. */
function escapeText(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*~]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
