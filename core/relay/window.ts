import type { Limits } from '../limits.ts';

/** A run of bytes [start, end) to be asked of one source in one range request. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/**
 * The next window of a body.
 * @param bodyEnd where the body ends; `Infinity` while its size is unknown.
 * @param failedAt where this source failed before: it is used up to there and no further.
 */
export function nextWindow(offset: number, bodyEnd: number, failedAt: number | undefined, windowBytes: number): Window {
  return { start: offset, end: Math.min(offset + windowBytes, bodyEnd, failedAt ?? Infinity) };
}

/** Whether the window after this one should be asked for now, so that its head is here when this one ends. */
export function isTimeForNext(
  offset: number,
  windowEnd: number,
  bodyEnd: number,
  limits: Pick<Limits, 'windowLeadBytes'>,
): boolean {
  return windowEnd < bodyEnd && windowEnd - offset <= limits.windowLeadBytes;
}
