/**
 * Time as the core sees it. Integer microseconds everywhere inside; milliseconds exist only at the edges (flags, logs).
 */
export interface Clock {
  /** Monotonic time in microseconds. Never goes back, means nothing outside this process. */
  nowUs(): number;
  /** Wall-clock time in microseconds since the Unix epoch. May jump: never used for a time-out. */
  wallUs(): number;
  /** Calls back once, `delayUs` from now. Never calls back before `schedule` has returned. */
  schedule(delayUs: number, callback: () => void): Timer;
}

export interface Timer {
  /** Idempotent. After it the callback is never called. */
  cancel(): void;
}
