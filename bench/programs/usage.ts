import { readFileSync } from 'node:fs';

/** The kernel's unit of CPU time in /proc, USER_HZ: 100 a second on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** CPU seconds that the process has used so far, all its threads together. */
export function cpuSecondsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name before it may hold spaces and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

export interface MemoryUse {
  readonly rssMib: number;
  /** The most that it ever was. */
  readonly peakMib: number;
}

export function memoryOf(pid: number): MemoryUse {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  return { rssMib: kibibytes('VmRSS') / 1024, peakMib: kibibytes('VmHWM') / 1024 };
}

/** Busy CPU seconds of the whole machine so far. */
export function machineBusySeconds(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFileSync('/proc/stat', 'utf8')
    .slice(0, 500)
    .split('\n', 1)
    .join('')
    .split(/\s+/)
    .map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}
