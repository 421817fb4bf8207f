import { setTimeout as pause } from 'node:timers/promises';

const pollMs = 10;

/** Resolves when `condition` holds, looked at again and again; rejects, naming what was waited for, when it does not within the time. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await pause(pollMs);
  }
}
