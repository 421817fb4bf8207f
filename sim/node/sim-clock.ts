import type { Clock } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Life } from '../kernel/life.ts';

/** The wall clock of every world begins here: 2023-11-14T22:13:20Z. */
export const epochUs = 1_700_000_000_000_000;

/** How a machine's wall clock differs from the world's. */
export interface WallClock {
  /** Microseconds that it is ahead. */
  offsetUs: number;
  /** It goes wrong besides, from then on. */
  drift?: { readonly sinceUs: number; readonly usPerSecond: number } | undefined;
}

/** What a wall clock is ahead of the world's by now. */
export function aheadUs({ drift, offsetUs }: WallClock, nowUs: number): number {
  return drift === undefined
    ? offsetUs
    : offsetUs + Math.floor(((nowUs - drift.sinceUs) * drift.usPerSecond) / 1_000_000);
}

export function createSimClock(kernel: Kernel, life: Life, wall: WallClock): Clock {
  return {
    nowUs: () => kernel.nowUs(),
    wallUs: () => epochUs + kernel.nowUs() + aheadUs(wall, kernel.nowUs()),
    schedule: (delayUs, callback) => life.schedule(delayUs, callback),
  };
}
