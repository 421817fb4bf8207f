import { isMap, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { Plan } from './plan.ts';
import { readUnknown } from './read-scenario.ts';
import { formatPath, ScenarioError, sayValue } from './scenario-error.ts';
import type { ScenarioPath } from './scenario-error.ts';
import type { ReadTrace } from './trace-text.ts';

export interface ParseScenarioOptions {
  /** How errors call the text. @default 'scenario' */
  readonly file?: string;
  /** Changes on top of it, `cluster.nodes=200` each. */
  readonly set?: readonly string[];
  /** Gives the text of a trace that the workload names. @default there are no traces */
  readonly readTrace?: ReadTrace;
}

/** A plan from YAML. Throws a `ScenarioError`: one sentence with the place in the text, the path, the value, and what is allowed. */
export function parseScenario(
  text: string,
  { file = 'scenario', set = [], ...options }: ParseScenarioOptions = {},
): Plan {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw new ScenarioError([], `${file}:${line}:${col}: this is no YAML: ${sentence(broken.message)}`);
  }
  const changed = new Map<string, string>();
  // Whatever else it is, there is nothing in it to change, and reading it says so.
  for (const change of isMap(document.contents) ? set : [])
    changed.set(formatPath(applyChange(document, change)), change);
  try {
    return readUnknown(document.toJS(), options);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new ScenarioError([], `${placeOf(error.path, document, lines, file, changed)}: ${error.message}`);
  }
}

/** `file:line:column` of the value, or of the nearest thing around it; `--set ...` where the value came from there. */
function placeOf(
  path: ScenarioPath,
  document: Document,
  lines: LineCounter,
  file: string,
  changed: ReadonlyMap<string, string>,
): string {
  const around = path.map((_key, index) => path.slice(0, path.length - index));
  const change = around.map((part) => changed.get(formatPath(part))).find((text) => text !== undefined);
  if (change !== undefined) return `--set ${change}`;
  for (const part of around) {
    const at = offsetOf(document.getIn(part, true));
    if (at === undefined) continue;
    const { line, col } = lines.linePos(at);
    return `${file}:${line}:${col}`;
  }
  return file;
}

function offsetOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const start: unknown = node.range[0];
  return typeof start === 'number' ? start : undefined;
}

function applyChange(document: Document, change: string): ScenarioPath {
  const equals = change.indexOf('=');
  const path = equals < 0 ? undefined : parsePath(change.slice(0, equals));
  if (path === undefined) {
    throw new ScenarioError([], `--set ${sayValue(change)}: write path=value, cluster.nodes=200 or faults[0].at=5s`);
  }
  const value = parseDocument(change.slice(equals + 1), { prettyErrors: false });
  if (value.errors.length > 0) throw new ScenarioError([], `--set ${sayValue(change)}: its value is no YAML`);
  const before = path.slice(0, -1);
  const within: unknown = before.length === 0 ? document.contents : document.getIn(before, true);
  const isScalar = typeof within === 'object' && within !== null && 'value' in within;
  if (isScalar) throw new ScenarioError([], `--set ${sayValue(change)}: ${formatPath(before)} has nothing within it`);
  document.setIn(path, value.contents);
  return path;
}

function parsePath(text: string): (string | number)[] | undefined {
  const part = /\.?([^.[\]]+)|\[(\d+)\]/g;
  const keys: (string | number)[] = [];
  let end = 0;
  for (const match of text.matchAll(part)) {
    if (match.index !== end) return undefined;
    keys.push(match[1] ?? Number(match[2]));
    end += match[0].length;
  }
  return keys.length === 0 || end < text.length ? undefined : keys;
}

/** A parser's message as part of a sentence. */
function sentence(message: string): string {
  return message
    .replaceAll(/\s+/g, ' ')
    .replace(/\.$/, '')
    .replace(/^./, (letter) => letter.toLowerCase());
}
