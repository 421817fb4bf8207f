/** What a bench sees of the machine. */
export interface BenchHost {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** What the process has of memory now. */
  memoryBytes(): number;
  /** Frees what can be freed, where the process can be asked to. */
  collectGarbage?(): void;
}

export type BenchUnit = 'events/s' | 'seeds/h' | 's' | 'bytes';

/**
 * One figure. An event is a callback of the kernel: something that was due at a time (a packet or a chunk has arrived, a timer has run out, shares of bandwidth
 * are computed anew), with all the promises that settle because of it. What was cancelled before its time is none.
 */
export interface BenchRow {
  readonly name: BenchName;
  /** What was measured, in one line. */
  readonly what: string;
  readonly value: number;
  readonly unit: BenchUnit;
  /** The least that will do, and what is hoped for: more for rates, less for times and memory. */
  readonly floor: number;
  readonly stretch: number;
  readonly events: number;
  readonly wallMs: number;
}

/** Those of 10,000 nodes take minutes. */
export const benchNames = [
  'kernel',
  'core',
  'cold-start-100',
  'cold-start-1000',
  'cold-start-10000',
  'memory-1000',
  'memory-10000',
  'small-seeds',
  'replay',
] as const;

/** @see BenchRow */
export type BenchName = (typeof benchNames)[number];

export type BenchVerdict = 'stretch' | 'floor' | 'missed';

export function judgeRow({ value, unit, floor, stretch }: BenchRow): BenchVerdict {
  const isBetter = (bound: number): boolean => (unit === 's' || unit === 'bytes' ? value <= bound : value >= bound);
  if (isBetter(stretch)) return 'stretch';
  return isBetter(floor) ? 'floor' : 'missed';
}
