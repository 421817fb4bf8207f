import { Session } from 'node:inspector/promises';
import type { Profiler } from 'node:inspector';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import process from 'node:process';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { getHeapSnapshot, getHeapStatistics } from 'node:v8';
import type { Watchdog } from '../../transports/index.ts';

/** Where the main thread's time goes, in the format that Chromium's developer tools read. Rejects when the signal aborts. */
export async function profileCpu(seconds: number, signal: AbortSignal): Promise<Profiler.Profile> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await wait(seconds * 1000, undefined, { signal });
    return (await session.post('Profiler.stop')).profile;
  } finally {
    session.disconnect();
  }
}

/** All objects, in the format that Chromium's developer tools read. The main thread stands still while they are counted, so the watchdog is told. */
export async function streamHeap(into: Writable, watchdog: Pick<Watchdog, 'hold'> | undefined): Promise<void> {
  const watchAgain = watchdog?.hold();
  try {
    const snapshot = getHeapSnapshot();
    // The text is made in one go when it is first read; what follows is sending.
    snapshot.once('data', () => {
      setImmediate(() => watchAgain?.());
    });
    await pipeline(snapshot, into);
  } finally {
    watchAgain?.();
  }
}

const nanosecondsPerMs = 1e6;
const loopResolutionMs = 10;

/** How late timers came, and for how much of the time the loop worked. */
export async function measureEventLoop(seconds: number, signal: AbortSignal) {
  const delays = monitorEventLoopDelay({ resolution: loopResolutionMs });
  const before = performance.eventLoopUtilization();
  delays.enable();
  try {
    await wait(seconds * 1000, undefined, { signal });
  } finally {
    delays.disable();
  }
  const ms = (nanoseconds: number): number => Math.round((nanoseconds / nanosecondsPerMs) * 1000) / 1000;
  return {
    seconds,
    utilization: performance.eventLoopUtilization(before).utilization,
    /** The timer's own interval is part of each. */
    delayMs: {
      resolution: loopResolutionMs,
      min: ms(delays.min),
      mean: ms(delays.mean),
      p50: ms(delays.percentile(50)),
      p99: ms(delays.percentile(99)),
      max: ms(delays.max),
    },
  };
}

/** Node's own report: stacks, handles, limits. Without the environment, where secrets stand, and without asking DNS for names. */
export function report(): object {
  Object.assign(process.report, { excludeEnv: true, excludeNetwork: true });
  return process.report.getReport();
}

/** What costs nothing to say. */
export function state() {
  const resources = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) resources.set(name, (resources.get(name) ?? 0) + 1);
  return {
    pid: process.pid,
    versions: process.versions,
    uptimeSeconds: Math.round(process.uptime()),
    memory: process.memoryUsage(),
    heap: getHeapStatistics(),
    usage: process.resourceUsage(),
    activeResources: Object.fromEntries(resources),
    eventLoopUtilization: performance.eventLoopUtilization().utilization,
  };
}
