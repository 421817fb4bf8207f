import type { PullTrace, TracedPull } from './pull-trace.ts';

/** Several nodes' traces as one. Those that say when they began keep their distance; the others begin together. */
export function mergeTraces(traces: readonly PullTrace[]): PullTrace {
  const [only, ...others] = traces;
  if (only !== undefined && others.length === 0) return only;
  const starts = traces.flatMap(({ startedAtMs }) => (startedAtMs === undefined ? [] : [startedAtMs]));
  const firstMs = starts.reduce((first, start) => Math.min(first, start), Infinity);
  const pulls = traces.flatMap(({ pulls: own, startedAtMs = firstMs }): readonly TracedPull[] => {
    const laterMs = startedAtMs === Infinity ? 0 : startedAtMs - firstMs;
    return own.map((pull) => ({ ...pull, atMs: pull.atMs + laterMs }));
  });
  const sorted = pulls.toSorted((one, other) => one.atMs - other.atMs);
  return firstMs === Infinity ? { pulls: sorted } : { startedAtMs: firstMs, pulls: sorted };
}
