import { isDigest, parseReference } from '../../core/index.ts';
import { traceVersion } from './pull-trace.ts';
import type { PullTrace, TracedLayer, TracedPull } from './pull-trace.ts';

/** What is wrong with a trace, with its line. */
export class TraceError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = 'TraceError';
    this.line = line;
  }
}

type Fields = Readonly<Record<string, unknown>>;

const fieldNames: readonly string[] = ['atMs', 'node', 'zone', 'image', 'layers', 'tookMs'];

/** Reads a trace (JSONL). Throws a `TraceError`. Pulls come back in the order of their times. */
export function parsePullTrace(text: string): PullTrace {
  const known = new Map<string, readonly TracedLayer[]>();
  const pulls: TracedPull[] = [];
  let head: Pick<PullTrace, 'startedAtMs'> | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const number = index + 1;
    const fields = fieldsOf(line, number);
    if (head === undefined) {
      head = headOf(fields, number);
      continue;
    }
    const pull = pullOf(fields, known, number);
    known.set(pull.image, pull.layers);
    pulls.push(pull);
  }
  if (head === undefined)
    throw new TraceError(1, `the trace is empty: its first line is {"peili-trace":${traceVersion}}`);
  return { ...head, pulls: pulls.toSorted((one, other) => one.atMs - other.atMs) };
}

function fieldsOf(line: string, number: number): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new TraceError(number, 'this is no JSON');
  }
  if (!isFields(value)) throw new TraceError(number, `this is no object: ${sayValue(value)}`);
  return value;
}

function headOf(fields: Fields, number: number): Pick<PullTrace, 'startedAtMs'> {
  const { 'peili-trace': version, startedAtMs } = fields;
  if (version !== traceVersion) {
    const said = version === undefined ? 'it does not say that it is one' : `its version is ${sayValue(version)}`;
    throw new TraceError(
      number,
      `no trace that can be read: ${said}; the first line is {"peili-trace":${traceVersion}}`,
    );
  }
  if (startedAtMs === undefined) return {};
  if (isCount(startedAtMs)) return { startedAtMs };
  throw new TraceError(
    number,
    `startedAtMs is ${sayValue(startedAtMs)}: whole milliseconds since 1970, or leave it out`,
  );
}

function pullOf(fields: Fields, known: ReadonlyMap<string, readonly TracedLayer[]>, number: number): TracedPull {
  const fail = (name: string, allowed: string): never => {
    throw new TraceError(number, `${name} is ${sayValue(fields[name])}: ${allowed}`);
  };
  const unknownName = Object.keys(fields).find((name) => !fieldNames.includes(name));
  if (unknownName !== undefined)
    throw new TraceError(number, `there is no field ${sayValue(unknownName)}: there are ${fieldNames.join(', ')}`);
  const { atMs, node, zone = '', image, layers, tookMs } = fields;
  if (!isCount(atMs)) return fail('atMs', 'whole milliseconds since the trace began');
  if (typeof node !== 'string' || node === '') return fail('node', 'the name of the node');
  if (typeof zone !== 'string') return fail('zone', 'the name of its zone, or leave it out');
  if (typeof image !== 'string' || parseReference(image)?.tag === undefined)
    return fail('image', 'registry/repository:tag');
  if (tookMs !== undefined && !isCount(tookMs)) return fail('tookMs', 'whole milliseconds, or leave it out');
  const content = layers === undefined ? known.get(image) : layersOf(layers, number);
  if (content === undefined)
    throw new TraceError(number, `layers are missing: no line before has those of ${sayValue(image)}`);
  return { atMs, node, zone, image, layers: content, ...(tookMs === undefined ? {} : { tookMs }) };
}

function layersOf(value: unknown, number: number): readonly TracedLayer[] {
  if (!Array.isArray(value))
    throw new TraceError(number, `layers is ${sayValue(value)}: a list of {digest, sizeBytes}`);
  return value.map((layer: unknown, index) => {
    const { digest, sizeBytes } = isFields(layer) ? layer : {};
    if (typeof digest !== 'string' || !isDigest(digest))
      throw new TraceError(number, `layers[${index}].digest is ${sayValue(digest)}: sha256: and 64 hex digits`);
    if (!isCount(sizeBytes))
      throw new TraceError(number, `layers[${index}].sizeBytes is ${sayValue(sizeBytes)}: a whole number of bytes`);
    return { digest, sizeBytes };
  });
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sayValue(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
