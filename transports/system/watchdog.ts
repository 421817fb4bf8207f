import { Worker } from 'node:worker_threads';
import type { Limits } from '../../core/index.ts';
import { captureMainStack, createStandstill, runWatchdog, watchdogCells } from './watchdog-worker.ts';
import type { WatchdogTimes } from './watchdog-worker.ts';

export interface WatchdogOptions {
  readonly limits: Pick<Limits, 'watchdogTickUs' | 'watchdogStandstillUs' | 'watchdogLastWordsUs'>;
  /** The watching thread itself failed: from here on nobody watches. */
  readonly onFailure: (reason: string) => void;
}

export interface Watchdog {
  /** Before what is known to hold the main thread for long, such as a heap snapshot. Returns how to watch again. */
  hold(): () => void;
  /** Ends the watch. Idempotent. */
  dispose(): Promise<void>;
}

/**
 * Ends this process when its main thread stands still: `limits.watchdogStandstillUs` without a turn of its event loop.
 * One line on stderr, JSON with the log's fields, says where it stood; then SIGKILL, so that the kernel closes every socket and
 * clients go on elsewhere (contract L3). A thread of its own: about 8 MiB and two wake-ups a tick.
 * A process stopped by SIGSTOP, a suspended machine, a debugger's pause or a wait for a processor are no standstill.
 */
export function startWatchdog({ limits, onFailure }: WatchdogOptions): Watchdog {
  const cells = new Int32Array(new SharedArrayBuffer(watchdogCells.count * Int32Array.BYTES_PER_ELEMENT));
  const times: WatchdogTimes = {
    tickMs: limits.watchdogTickUs / 1000,
    standstillMs: limits.watchdogStandstillUs / 1000,
    lastWordsMs: limits.watchdogLastWordsUs / 1000,
  };
  const worker = new Worker(watchdogSource(), { eval: true, workerData: { cells, times } });
  const beating = setInterval(() => Atomics.add(cells, watchdogCells.beats, 1), times.tickMs);
  // It watches a process that lives for other reasons.
  worker.unref();
  beating.unref();
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      resolve();
    });
  });
  worker.once('error', (error) => {
    onFailure(error instanceof Error ? error.message : String(error));
  });
  return {
    hold: () => {
      Atomics.add(cells, watchdogCells.held, 1);
      const holding = { now: true };
      return () => {
        if (holding.now) Atomics.sub(cells, watchdogCells.held, 1);
        holding.now = false;
      };
    },
    dispose: async () => {
      clearInterval(beating);
      Atomics.store(cells, watchdogCells.stop, 1);
      Atomics.notify(cells, watchdogCells.stop);
      worker.ref();
      await ended;
    },
  };
}

/** The thread's source travels as text, so that a bundle needs no second file. */
function watchdogSource(): string {
  return `
const { workerData: { cells, times } } = require('node:worker_threads');
const fs = require('node:fs');
const end = () => {
  process.kill(process.pid, 'SIGKILL');
  // Still here: the first process of a container is not killed by a signal from inside (pid_namespaces(7)). Its sockets are closed by
  // hand, and a trap, which the kernel delivers to whoever runs into it, ends it.
  for (const fd of fs.readdirSync('/proc/self/fd')) {
    try {
      if (fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:')) fs.closeSync(Number(fd));
    } catch {}
  }
  require('node:v8').setFlagsFromString('--allow-natives-syntax');
  new Function('%SystemBreak()')();
};
(${runWatchdog.toString()})(cells, times, {
  createStandstill: ${createStandstill.toString()},
  captureMainStack: ${captureMainStack.toString()},
  openSession: () => {
    const { Session } = require('node:inspector');
    const session = new Session();
    session.connectToMainThread();
    return session;
  },
  write: (text, onWritten) => fs.write(2, text, onWritten),
  waitsIn: () => {
    try {
      return fs.readFileSync('/proc/self/wchan', 'latin1');
    } catch {
      return 'unknown';
    }
  },
  waitedMs: () => {
    try {
      // Of the process' first thread: ns on a processor, ns waiting for one, turns (proc-schedstat of the kernel's documentation).
      return (Number(fs.readFileSync('/proc/self/schedstat', 'latin1').split(' ')[1]) || 0) / 1e6;
    } catch {
      return 0;
    }
  },
  nowMs: () => performance.now(),
  end,
});`;
}
