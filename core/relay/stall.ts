import type { Limits } from '../limits.ts';

/**
 * How one source does while a body flows. Only time spent waiting for the source counts: a slow reader is not a slow source.
 * Times are microseconds, the numbers plain, so that it can be enumerated.
 */
export interface FlowState {
  /** When the pending read began; undefined while the client has the last chunk. */
  readonly waitingSinceUs: number | undefined;
  /** Of the current rate window. */
  readonly windowWaitedUs: number;
  readonly windowBytes: number;
  /** Of this source's whole run, for its measured speed. */
  readonly waitedUs: number;
  readonly bytes: number;
}

export const startFlow: FlowState = {
  waitingSinceUs: undefined,
  windowWaitedUs: 0,
  windowBytes: 0,
  waitedUs: 0,
  bytes: 0,
};

export type FlowLimits = Pick<Limits, 'stallTimeoutUs' | 'minimumRateBytesPerSecond' | 'minimumRateWindowUs'>;

/** A read begins: the client wants bytes. */
export function waitFor(state: FlowState, nowUs: number): FlowState {
  return { ...state, waitingSinceUs: nowUs };
}

/** Bytes came. When a whole window of waiting brought less than the minimum rate: `slowBytesPerSecond`; a new window begins then. */
export function receive(
  state: FlowState,
  nowUs: number,
  bytes: number,
  limits: FlowLimits,
): { state: FlowState; slowBytesPerSecond: number | undefined } {
  const sinceUs = nowUs - (state.waitingSinceUs ?? nowUs);
  // Longer than a stall nobody is waited for: this process stood still itself, and says nothing of the source by it.
  const waited = sinceUs > limits.stallTimeoutUs ? 0 : sinceUs;
  const windowWaitedUs = state.windowWaitedUs + waited;
  const windowBytes = state.windowBytes + bytes;
  const whole = { waitingSinceUs: undefined, waitedUs: state.waitedUs + waited, bytes: state.bytes + bytes };
  if (windowWaitedUs < limits.minimumRateWindowUs)
    return { state: { ...whole, windowWaitedUs, windowBytes }, slowBytesPerSecond: undefined };
  const rate = (windowBytes * 1_000_000) / windowWaitedUs;
  const slowBytesPerSecond = rate < limits.minimumRateBytesPerSecond ? rate : undefined;
  return { state: { ...whole, windowWaitedUs: 0, windowBytes: 0 }, slowBytesPerSecond };
}

/** Looked at when the deadline fires: stalled now, or when to look again. */
export function judgeStall(
  state: FlowState,
  nowUs: number,
  limits: FlowLimits,
): { type: 'stalled'; waitedUs: number } | { type: 'look-again'; inUs: number } | { type: 'idle' } {
  if (state.waitingSinceUs === undefined) return { type: 'idle' };
  const waitedUs = nowUs - state.waitingSinceUs;
  if (waitedUs >= limits.stallTimeoutUs) return { type: 'stalled', waitedUs };
  return { type: 'look-again', inUs: limits.stallTimeoutUs - waitedUs };
}
