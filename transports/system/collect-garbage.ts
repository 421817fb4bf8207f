import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Gives back what a start has left: half of the heap is garbage then, which V8 would keep while nothing happens (8 MiB measured, as much as the watchdog
 * costs). Once; the main thread stands still for about 20 ms. Not by the inspector's `HeapProfiler.collectGarbage`: a process that has called that for
 * itself hangs at its end (Node 26.10).
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext("gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })");
}
