/** One pull of a trace: a line of it (`docs/reference/traces.md`). */
export interface TracedPull {
  /** When it began: milliseconds since the trace did. */
  readonly atMs: number;
  readonly node: string;
  /** Empty when unknown. */
  readonly zone: string;
  /** `registry/repository:tag`. */
  readonly image: string;
  readonly layers: readonly TracedLayer[];
  /** How long it took, where that was seen. */
  readonly tookMs?: number;
}

export interface TracedLayer {
  /** Layers with the same digest are the same, whichever image they are of. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Pulls in the order in which they began. */
export interface PullTrace {
  /** When it began, wall milliseconds: what puts the traces of several nodes beside each other. */
  readonly startedAtMs?: number;
  readonly pulls: readonly TracedPull[];
}

/** What the first line of a trace says. */
export const traceVersion = 1;

/** The first line. */
export function traceHead({ startedAtMs }: Pick<PullTrace, 'startedAtMs'>): string {
  return JSON.stringify({ 'peili-trace': traceVersion, ...(startedAtMs === undefined ? {} : { startedAtMs }) });
}

export function formatPullTrace({ pulls, ...head }: PullTrace): string {
  return `${[traceHead(head), ...pulls.map(pullLines())].join('\n')}\n`;
}

/** Writes one line a pull, one after the other; layers stand with the first pull of an image, and again when the tag means others. */
export function pullLines(): (pull: TracedPull) => string {
  const known = new Map<string, string>();
  return ({ layers, ...pull }) => {
    const text = JSON.stringify(layers);
    const isKnown = known.get(pull.image) === text;
    known.set(pull.image, text);
    return JSON.stringify(isKnown ? pull : { ...pull, layers });
  };
}
