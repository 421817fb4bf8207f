import { faultTable } from './fault-table.ts';
import { httpArguments, recordsArguments, namesArguments, kindArguments } from './fault-arguments.ts';
import type { ArgumentCheck } from './fault-arguments.ts';

/** What is wrong with these faults, in one sentence with the place; undefined: nothing. For values that come from files and lines. */
export function checkFaults(faults: unknown, nodes: number): string | undefined {
  if (!Array.isArray(faults)) return `faults: ${say(faults)} is no list`;
  for (const [index, fault] of faults.entries()) {
    const problem = checkFault(fault, nodes, `faults[${index}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkFault(fault: unknown, nodes: number, path: string): string | undefined {
  if (!isRecord(fault)) return `${path}: ${say(fault)} is no fault`;
  const { atUs, target, untilUs, what } = fault;
  if (!isTime(atUs)) return `${path}.atUs: ${say(atUs)} is no time: microseconds, from 0`;
  if (untilUs !== undefined && !(isTime(untilUs) && untilUs >= atUs))
    return `${path}.untilUs: ${say(untilUs)} is no time after ${atUs}`;
  if (!isRecord(what)) return `${path}.what: ${say(what)} is no kind of fault`;
  const { kind, ...own } = what;
  if (typeof kind !== 'string' || !isKind(kind))
    return `${path}.what.kind: ${say(kind)} is no kind of fault: ${Object.keys(faultTable).join(', ')}`;
  if (target === 'upstream' && faultTable[kind].targets !== 'both')
    return `${path}.target: ${kind} happens to nodes, not to the upstream`;
  if (target !== 'upstream' && !isNode(target, nodes))
    return `${path}.target: ${say(target)} is no node: 0 to ${nodes - 1}, or "upstream"`;
  const checks = kindArguments[kind];
  return checkArguments(own, checks, nodes, `${path}.what`);
}

function checkArguments(
  given: Readonly<Record<string, unknown>>,
  checks: Readonly<Record<string, ArgumentCheck>>,
  nodes: number,
  path: string,
): string | undefined {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(checks, name)) return `${path}.${name}: there is no such argument`;
  }
  for (const [name, check] of Object.entries(checks)) {
    const problem = checkArgument(given[name], check, nodes, `${path}.${name}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkArgument(value: unknown, check: ArgumentCheck, nodes: number, path: string): string | undefined {
  if (typeof check === 'object') {
    if (value === undefined && check.isOptional === true) return undefined;
    return check.accepts.some((each) => each === value)
      ? undefined
      : `${path}: ${say(value)} is not one of ${check.accepts.map(say).join(', ')}`;
  }
  switch (check) {
    case 'http':
      return checkNested(value, httpArguments, nodes, path);
    case 'records':
      return checkNested(value, recordsArguments, nodes, path);
    case 'names':
      return checkNested(value, namesArguments, nodes, path);
    case 'node?':
      return value === undefined || isNode(value, nodes) ? undefined : `${path}: ${say(value)} is no node`;
    case 'nodes':
      return Array.isArray(value) && value.every((each) => isNode(each, nodes))
        ? undefined
        : `${path}: ${say(value)} is no list of nodes from 0 to ${nodes - 1}`;
    case 'count?':
      return value === undefined || (isTime(value) && value > 0) ? undefined : `${path}: ${say(value)} is no count`;
    case 'whole':
      return isTime(value) ? undefined : `${path}: ${say(value)} is no whole number from 0`;
    case 'whole?':
      return value === undefined || isTime(value) ? undefined : `${path}: ${say(value)} is no whole number from 0`;
    case 'integer':
      return Number.isSafeInteger(value) ? undefined : `${path}: ${say(value)} is no whole number`;
    case 'positive':
      return typeof value === 'number' && value > 0 && value < Infinity
        ? undefined
        : `${path}: ${say(value)} is no number above 0`;
  }
}

function checkNested(
  value: unknown,
  kinds: Readonly<Record<string, Readonly<Record<string, ArgumentCheck>>>>,
  nodes: number,
  path: string,
): string | undefined {
  const { kind, ...own } = isRecord(value) ? value : { kind: undefined };
  const checks = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (checks === undefined) return `${path}.kind: ${say(kind)} is not one of ${Object.keys(kinds).join(', ')}`;
  return checkArguments(own, checks, nodes, path);
}

function isKind(kind: string): kind is keyof typeof faultTable {
  return Object.hasOwn(faultTable, kind);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isNode(value: unknown, nodes: number): boolean {
  return isTime(value) && value < nodes;
}

function say(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
