import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { pidOf } from './namespace.ts';

/** A process of the cluster, by its pid. */
export interface ProcessHandle {
  readonly pid: number;
  isRunning(): boolean;
  /** SIGTERM, and SIGKILL when that is not heard within the time: the exit code, null after a signal. @default 15 s */
  stop(timeoutMs?: number): Promise<number | null>;
  /** SIGKILL: what it held is closed by the kernel. */
  kill(): Promise<void>;
  /** SIGSTOP: the kernel goes on answering for it. */
  freeze(): void;
  thaw(): void;
  /** When it has ended: its exit code, null after a signal. */
  readonly ended: Promise<number | null>;
}

export function handleOf(child: ChildProcess): ProcessHandle {
  const pid = pidOf(child);
  // `exit`, not `close`: a process that it left behind may hold its pipes.
  const ended = once(child, 'exit').then(() => child.exitCode);
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return {
    pid,
    isRunning,
    ended,
    kill,
    stop: async (timeoutMs = 15_000) => {
      if (!isRunning()) return ended;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      return ended.finally(() => {
        clearTimeout(timer);
      });
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}
