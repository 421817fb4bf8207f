import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Gives back what a start has left: half of the heap is garbage then, which V8 would keep while nothing happens (8 MiB measured, as much as the watchdog
 * costs). Once; the main thread stands still for 25 to 60 ms, on a crowded machine for 200: peers that ask in this moment may take another source first. Not by the inspector's `HeapProfiler.collectGarbage`: a process that has called that for
 * itself hangs at its end (Node 26.10).
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext("gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })");
}
