import type { Session } from 'node:inspector';

/** What the main thread and the watching one share: 32-bit cells of one SharedArrayBuffer. */
export const watchdogCells = Object.freeze({ beats: 0, stop: 1, held: 2, count: 3 });

export interface WatchdogTimes {
  /** How often the watching thread wakes. */
  readonly tickMs: number;
  /** The main thread ends after so long without a turn of its loop. */
  readonly standstillMs: number;
  /** How long its stack, and then the last line, may take. */
  readonly lastWordsMs: number;
}

export type MainStack =
  | { readonly kind: 'frames'; readonly frames: readonly string[] }
  /** Somebody looks at it in a debugger. */
  | { readonly kind: 'debugged' }
  /** No JavaScript could be interrupted: it waits in a system call. */
  | { readonly kind: 'native' };

/** What the watching thread needs of Node: its text is evaluated there, so it uses its parameters and nothing else of this file. */
export interface WatchdogParts {
  readonly createStandstill: typeof createStandstill;
  readonly captureMainStack: typeof captureMainStack;
  readonly openSession: () => Session;
  /** Writes to stderr without waiting for it: `fs.write`. */
  readonly write: (text: string, onWritten: () => void) => void;
  /** What the main thread waits for in the kernel, where that may be read: `/proc/self/wchan`. */
  readonly waitsIn: () => string;
  /** How long the main thread has waited for a processor since its start, where that may be read: `/proc/self/schedstat`. */
  readonly waitedMs: () => number;
  /** Ends the process; does not return. */
  readonly end: () => void;
  readonly nowMs: () => number;
}

/**
 * Judges by the watcher's own wake-ups: only a wake-up in time, without a beat since the last one, counts as standstill.
 * After SIGSTOP or a suspended machine the watcher is late itself, and its lateness proves nothing. Nor does a main thread that waits for a processor
 * stand still: on a crowded machine the watcher, which needs none to speak of, gets one long before it.
 */
export function createStandstill(
  { tickMs, standstillMs }: WatchdogTimes,
  startMs: number,
): { look(atMs: number, beats: number, waitedMs: number): boolean; stillMs(): number; clear(): void } {
  const state = { lastMs: startMs, beats: -1, waitedMs: 0, stillMs: 0 };
  return {
    look: (atMs, beats, waitedMs) => {
      const sinceMs = atMs - state.lastMs;
      // The kernel tells of a wait when it is over: the sum may go down.
      const starvedMs = Math.max(0, waitedMs - state.waitedMs);
      state.lastMs = atMs;
      // It only grows: less is what could not be read this time.
      state.waitedMs += starvedMs;
      if (beats !== state.beats) state.stillMs = 0;
      else if (sinceMs < 2 * tickMs) state.stillMs += sinceMs - starvedMs;
      state.beats = beats;
      return state.stillMs >= standstillMs;
    },
    stillMs: () => state.stillMs,
    clear: () => {
      state.stillMs = 0;
    },
  };
}

/** Where the main thread stands, through the inspector: it interrupts running JavaScript, not a system call. The caller bounds the wait by `lastWordsMs`. */
export function captureMainStack(session: Session, lastWordsMs: number): Promise<MainStack> {
  return new Promise((resolve) => {
    const urls = new Map<string, string>();
    const asked = { toPause: false };
    const timer = setTimeout(() => {
      resolve({ kind: 'native' });
    }, lastWordsMs);
    const settle = (stack: MainStack): void => {
      clearTimeout(timer);
      resolve(stack);
    };
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
    session.on('Debugger.paused', ({ params }) => {
      // Paused before it was asked to: a debugger holds it.
      if (!asked.toPause) {
        settle({ kind: 'debugged' });
        return;
      }
      const frames = params.callFrames.map(
        ({ functionName, url, location: { scriptId, lineNumber, columnNumber } }) => {
          const place = url === '' ? (urls.get(scriptId) ?? '') : url;
          return `${functionName === '' ? '(anonymous)' : functionName} ${place}:${lineNumber + 1}:${(columnNumber ?? 0) + 1}`;
        },
      );
      settle({ kind: 'frames', frames });
    });
    session.post('Debugger.enable', () => {
      asked.toPause = true;
      session.post('Debugger.pause');
    });
  });
}

/** Runs in the watching thread, until it is told to stop or the process ends. Asleep but for a look every `tickMs`. */
export async function runWatchdog(cells: Int32Array, times: WatchdogTimes, parts: WatchdogParts): Promise<void> {
  const [beatsCell, stopCell, heldCell] = [0, 1, 2];
  const standstill = parts.createStandstill(times, parts.nowMs());
  const standsStill = (): boolean => {
    const stands = standstill.look(parts.nowMs(), Atomics.load(cells, beatsCell), parts.waitedMs());
    if (Atomics.load(cells, heldCell) > 0) standstill.clear();
    return stands && Atomics.load(cells, heldCell) === 0;
  };
  const lastWords = (frames: readonly string[] | undefined): string => {
    const seconds = (standstill.stillMs() / 1000).toFixed(1);
    const waitsIn = parts.waitsIn();
    // Who runs, or would if it could, waits in no system call.
    const nowhere =
      waitsIn === '0'
        ? 'in no JavaScript and no system call: look at how busy the machine is'
        : `in a system call (${waitsIn}): look at the disk of the content store, and at whoever reads this log`;
    return `${JSON.stringify({
      level: 'ERROR',
      time: new Date().toISOString(),
      msg: `the main thread has stood still for ${seconds} s: this process ends, so that clients go on elsewhere; let it be restarted, and report where it stood`,
      stack: frames ?? nowhere,
    })}\n`;
  };
  for (;;) {
    if (Atomics.wait(cells, stopCell, 0, times.tickMs) !== 'timed-out') return;
    if (!standsStill()) continue;
    const beats = Atomics.load(cells, beatsCell);
    const session = parts.openSession();
    const stack = await parts.captureMainStack(session, times.lastWordsMs);
    if (stack.kind !== 'debugged' && Atomics.load(cells, beatsCell) === beats) {
      // The log's reader may be what stands still: the end does not wait for it.
      const text = lastWords(stack.kind === 'frames' ? stack.frames : undefined);
      await new Promise<void>((resolve) => {
        setTimeout(resolve, times.lastWordsMs);
        parts.write(text, resolve);
      });
      parts.end();
    }
    // It went on at the last moment, or somebody debugs it.
    session.disconnect();
    standstill.clear();
  }
}
