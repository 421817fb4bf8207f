/**
 * The range algebra of RFC 9110, section 14, for one range of bytes. Offsets are bytes; `end` is exclusive everywhere, as in `slice`.
 *
 * Decisions where the RFC leaves a choice or a number does not fit:
 * - Absent, malformed, of another unit, or more than one range: `none`, the whole content as 200 (14.2: a server may ignore the field).
 * - Numbers beyond 2^53-1 are clamped to it (14.1.2 asks to prevent overflows): no content is that large, so the answer is the same.
 * - A non-zero suffix of empty content is satisfiable (14.1.2), but no 206 can say "no bytes" (14.4): the whole content as 200.
 */
export type RangeSpec =
  | { readonly type: 'none' }
  | { readonly type: 'from'; readonly first: number; readonly last?: number }
  | { readonly type: 'suffix'; readonly length: number };

export type ResolvedRange =
  | { readonly type: 'whole' }
  | { readonly type: 'part'; readonly start: number; readonly end: number }
  | { readonly type: 'unsatisfiable' };

export type ContentRange =
  | { readonly type: 'part'; readonly start: number; readonly end: number; readonly sizeBytes: number }
  | { readonly type: 'unsatisfied'; readonly sizeBytes: number };

const none: RangeSpec = { type: 'none' };
const rangePattern = /^[ \t]*bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*$/i;
const contentRangePattern = /^bytes (?:([0-9]+)-([0-9]+)|\*)\/([0-9]+)$/i;

/** The Range field's value, or undefined without one. Never throws. */
export function parseRange(header: string | undefined): RangeSpec {
  const match = header === undefined ? null : rangePattern.exec(header);
  if (match === null) return none;
  const [, first, last, suffix] = match;
  if (first === undefined) return suffix === undefined ? none : { type: 'suffix', length: clamped(suffix) };
  if (last === undefined || last === '') return { type: 'from', first: clamped(first) };
  return isLess(last, first) ? none : { type: 'from', first: clamped(first), last: clamped(last) };
}

/**
 * What of `sizeBytes` bytes the range means. A client's `bytes=0-`, the whole content with an open end, is `whole` (contract L5: it makes containerd take one
 * stream), for empty content too; between mirrors it is a part like any other.
 */
export function resolveRange(spec: RangeSpec, sizeBytes: number, asker: { readonly mirrored: boolean }): ResolvedRange {
  switch (spec.type) {
    case 'none':
      return { type: 'whole' };
    case 'suffix':
      if (spec.length === 0) return { type: 'unsatisfiable' };
      if (sizeBytes === 0) return { type: 'whole' };
      return { type: 'part', start: Math.max(0, sizeBytes - spec.length), end: sizeBytes };
    case 'from':
      if (spec.first === 0 && spec.last === undefined && !asker.mirrored) return { type: 'whole' };
      if (spec.first >= sizeBytes) return { type: 'unsatisfiable' };
      return { type: 'part', start: spec.first, end: Math.min(sizeBytes, (spec.last ?? sizeBytes) + 1) };
  }
}

/** `bytes=a-b` for [start, end), `bytes=a-` without an end. 0 <= start < end. */
export function formatRange(start: number, end?: number): string {
  assertPart(start, end ?? start + 1);
  return end === undefined ? `bytes=${start}-` : `bytes=${start}-${end - 1}`;
}

/** The Content-Range of a 206, or of a 416. */
export function formatContentRange(range: ContentRange): string {
  if (range.type === 'unsatisfied') return `bytes */${range.sizeBytes}`;
  assertPart(range.start, range.end);
  return `bytes ${range.start}-${range.end - 1}/${range.sizeBytes}`;
}

/**
 * A peer's Content-Range (RFC 9110, 14.4), exact: the total is there, the part lies inside it, and each number is below 2^53.
 * Undefined for anything else. Never throws.
 */
export function parseContentRange(text: string | undefined): ContentRange | undefined {
  const match = text === undefined ? null : contentRangePattern.exec(text);
  if (match === null) return undefined;
  const sizeBytes = Number(match[3]);
  if (!Number.isSafeInteger(sizeBytes)) return undefined;
  if (match[1] === undefined) return { type: 'unsatisfied', sizeBytes };
  const start = Number(match[1]);
  const last = Number(match[2]);
  return start <= last && last < sizeBytes ? { type: 'part', start, end: last + 1, sizeBytes } : undefined;
}

function clamped(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}

/** Compares decimal numbers of any length by their text: two that are clamped to the same value still differ. */
function isLess(left: string, right: string): boolean {
  const a = left.replace(/^0+/, '');
  const b = right.replace(/^0+/, '');
  return a.length === b.length ? a < b : a.length < b.length;
}

function assertPart(start: number, end: number): void {
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end)) {
    throw new Error(`assertion: [${start}, ${end}) is no range of bytes`);
  }
}
