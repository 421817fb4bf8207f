import { mergeTraces } from '../traces/merge-traces.ts';
import { parsePullTrace, TraceError } from '../traces/parse-pull-trace.ts';
import { workloadOfTrace } from '../traces/trace-workload.ts';
import type { TraceWorkload } from '../traces/trace-workload.ts';
import { ScenarioError, sayValue } from './scenario-error.ts';
import type { ScenarioPath } from './scenario-error.ts';

/** The text of a trace by its place; throws where there is none. */
export type ReadTrace = (file: string) => string;

/** Files of a part of the workload as one trace; each is read once. */
export type ReadTraces = (files: readonly string[], path: ScenarioPath) => TraceWorkload;

export function tracesBy(readTrace: ReadTrace | undefined): ReadTraces {
  const known = new Map<string, TraceWorkload>();
  return (files, path) => {
    const key = JSON.stringify(files);
    const workload =
      known.get(key) ?? workloadOfTrace(mergeTraces(files.map((file) => readOne(file, readTrace, path))));
    known.set(key, workload);
    return workload;
  };
}

function readOne(
  file: string,
  readTrace: ReadTrace | undefined,
  path: ScenarioPath,
): ReturnType<typeof parsePullTrace> {
  if (readTrace === undefined)
    throw new ScenarioError(path, `${sayValue(file)} cannot be read here: give readTrace, or run it with peili sim`);
  const text = textOf(file, readTrace, path);
  try {
    return parsePullTrace(text);
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    throw new ScenarioError(path, `${sayValue(file)}, ${error.message}`);
  }
}

/** Whoever reads says in words why it could not. */
function textOf(file: string, readTrace: ReadTrace, path: ScenarioPath): string {
  try {
    return readTrace(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ScenarioError(path, `${sayValue(file)} cannot be read: ${why}`);
  }
}
