import type { Clock } from '../../core/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Life } from '../kernel/life.ts';

/** The wall clock of every world begins here: 2023-11-14T22:13:20Z. */
export const epochUs = 1_700_000_000_000_000;

/** How a machine's wall clock differs from the world's. */
export interface WallClock {
  /** Microseconds that it is ahead. */
  offsetUs: number;
}

export function createSimClock(kernel: Kernel, life: Life, wall: WallClock): Clock {
  return {
    nowUs: () => kernel.nowUs(),
    wallUs: () => epochUs + kernel.nowUs() + wall.offsetUs,
    schedule: (delayUs, callback) => life.schedule(delayUs, callback),
  };
}
