/** What is known of a source when the next one has to be chosen. */
export interface Candidate {
  readonly sameZone: boolean;
  /** Timed out or refused lately: goes last. */
  readonly demoted: boolean;
  /** Bytes per second measured before; undefined when nothing was. */
  readonly speedBytesPerSecond: number | undefined;
  readonly freeSlots: number | undefined;
  /** Tags: for how long the answer has been true at the source, microseconds; the freshest goes first. */
  readonly tagAgeUs: number | undefined;
  /** Drawn once per request, so that equals share the load. */
  readonly rank: number;
}

/** A negative number when `a` is asked before `b`. A total order: it compares keys of each side alone. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    Number(a.demoted) - Number(b.demoted) ||
    (a.tagAgeUs ?? Infinity) - (b.tagAgeUs ?? Infinity) || // NaN (both without an age) falls through
    Number(b.sameZone) - Number(a.sameZone) ||
    speedClass(b.speedBytesPerSecond) - speedClass(a.speedBytesPerSecond) ||
    Number(hasSlots(b)) - Number(hasSlots(a)) ||
    a.rank - b.rank
  );
}

/** From here on a source is fast enough: differences above it are noise. */
const fastClass = 26; // 2^26 = 64 MiB/s

/** Powers of two, so that noise does not decide; who was never measured counts as fast, so that everybody gets measured. */
function speedClass(bytesPerSecond: number | undefined): number {
  if (bytesPerSecond === undefined) return fastClass;
  // Not Math.log2, which engines may round each in their own way: a run is the same on every machine (contract L18).
  return 31 - Math.clz32(Math.min(2 ** fastClass, Math.max(1, bytesPerSecond)));
}

function hasSlots(candidate: Candidate): boolean {
  return candidate.freeSlots === undefined || candidate.freeSlots > 0;
}
